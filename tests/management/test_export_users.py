"""`export_users`: users as a file."""

import csv
import io
import logging

import pytest
from django.core.management import CommandError, call_command

from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.spreadsheets import reading

pytestmark = pytest.mark.django_db

HEADER = [
    "ID",
    "First Name",
    "Last Name",
    "Login ID",
    "Email ID",
    "Status",
    "Job Description",
    "Login Using Email",
    "Team",
    "Role",
]


@pytest.fixture
def export(tmp_path):
    """Export into a file, and return its rows."""

    def export(*arguments, name="users.csv"):
        call_command("export_users", str(tmp_path / name), *arguments)
        with (tmp_path / name).open("rb") as file:
            return [cells for _, cells in reading.rows(file)]

    return export


@pytest.mark.parametrize("name", ["users.csv", "users.XLSX"])
def test_all_users_are_written_with_what_can_be_imported(export, business, name):
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    AttributeDefinitionFactory(
        kind="skill", name="languages", type="multiple_choice", choices=["en", "a|b"]
    )
    asha = UserFactory(
        job_description="=Lead",
        custom_attributes={"business": "Retail"},
        skill_attributes={"seniority": 3, "languages": ["en", "a|b"]},
    )
    for team, role in [("Sales", "Team Agent"), ("Night|shift", "Team Manager")]:
        MembershipFactory(user=asha, team=TeamFactory(name=team), role=role)
    header, row = export(name=name)
    assert header == [*HEADER, "custom:business", "skill:languages", "skill:seniority"]
    basic = [str(asha.pk), "Asha", "Rao", asha.login_id, asha.email_id, "active", "'=Lead", "false"]
    teams = ["Night\\|shift|Sales", "Team Manager|Team Agent"]
    assert row == [*basic, *teams, "Retail", "en|a\\|b", "3"]


def test_columns_are_chosen_by_name_and_in_their_order(export, user):
    columns = [f"--column={name}" for name in ("Logged In", "Login ID", "Created At")]
    header, row = export(*columns)
    assert header == ["Logged In", "Login ID", "Created At"]
    assert row == ["false", user.login_id, user.created_at.isoformat()]


def test_a_filter_takes_the_conditions_of_the_search_call(export, team, user):
    UserFactory(status="inactive")
    MembershipFactory(user=UserFactory(login_id="manager"), team=team, role="Team Manager")
    assert [row[3] for row in export('--filter={"status": {"eq": "inactive"}}')[1:]] != []
    managers = '--filter={"role": {"eq": "Team Manager"}}'
    assert [row[3] for row in export(managers)[1:]] == ["manager"]
    assert [row[3] for row in export(managers, f"--team={team.pk}")[1:]] == ["manager"]
    assert [row[3] for row in export(f"--team={team.pk}")[1:]] == [user.login_id, "manager"]


def test_a_part_of_many_users_is_read_at_a_time(
    export, django_assert_num_queries, monkeypatch, team
):
    monkeypatch.setattr("users.spreadsheets.exports._BATCH", 2)
    users = [UserFactory() for _ in range(5)]
    # The definitions, for the columns and for the filter; for each of three parts, the users and
    # their memberships.
    with django_assert_num_queries(2 + 3 * 2):
        assert [row[0] for row in export()[1:]] == [str(user.pk) for user in users]


def test_the_log_says_which_users_were_exported_and_how_many(export, user, caplog):
    caplog.set_level(logging.INFO, "users.spreadsheets")
    export('--filter={"status": {"eq": "active"}}')
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("Export by 'a command': 1 users (complete), filter: ")
    assert '{"status": {"eq": "active"}}' in line


def test_on_standard_output_it_is_csv(capfdbinary, user):
    call_command("export_users", "-", "--column=Login ID")
    content = capfdbinary.readouterr().out.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content))) == [["Login ID"], [user.login_id]]


def test_only_its_owner_can_read_the_file(export, tmp_path, user):
    export()
    assert (tmp_path / "users.csv").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["users.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["users.ods"], "FILE must be - or end with one of: .csv, .xlsx."),
        (["/no/such/folder/users.csv"], "The file cannot be written"),
        (["users.csv", "--column=Phone"], "There is no column 'Phone'. There are: ID, First Name"),
        (["users.csv", "--filter={"], "This is not JSON"),
        (["users.csv", "--filter=[]"], "Must be a JSON object."),
        (["users.csv", '--filter={"status": {"eq": "away"}}'], "Must be one of: 'active'"),
        (["users.csv", "--team=1"], "There is no team 1. There are no teams yet"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_would_be_right(
    arguments, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError) as caught:
        call_command("export_users", *arguments)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_stored_value_that_its_definition_refuses_is_written_all_the_same(export):
    ChoiceFactory(name="business")
    UserFactory(custom_attributes={"business": ["Old", 3]})
    assert export("--column=custom:business")[1] == ['["Old", 3]']
