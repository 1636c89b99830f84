"""`import_users`: users from a file."""

import contextlib
import csv
import io
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.database import data_statements, forget_creations, stored
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.models import Change, Invitation, Membership

pytestmark = pytest.mark.django_db

FILES = Path(__file__).parents[1] / "spreadsheets" / "files"


class Import:
    """Imports rows, and keeps what was said."""

    def __init__(self, folder):
        self.path = folder / "users.csv"
        self.report = folder / "users.refused.csv"
        self.out, self.err = io.StringIO(), io.StringIO()

    def __call__(self, *lines, arguments=()):
        if lines:
            self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.out, self.err = io.StringIO(), io.StringIO()
        call_command("import_users", str(self.path), *arguments, stdout=self.out, stderr=self.err)
        return self.out.getvalue()

    def refused(self, *lines, arguments=()):
        """Import rows of which some are wrong, and return those and the reasons."""
        with pytest.raises(CommandError):
            self(*lines, arguments=arguments)
        return [row[-1] for row in self.reported()[1:]]

    def reported(self):
        with self.report.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))


@pytest.fixture
def import_(tmp_path):
    return Import(tmp_path)


def roles_of(user):
    return dict(Membership.objects.filter(user=user).values_list("team__name", "role"))


def change_of(login_id):
    return Change.objects.filter(login_id=login_id).first()


# New users.


def test_a_row_whose_login_id_nobody_has_makes_a_user_without_a_password(import_, business):
    team = TeamFactory(name="Sales")
    said = import_(
        "First Name,Last Name,Login ID,Email ID,Team,Role,custom:business",
        "Zoë,Rao,zoe,zoe@desk.example,sales,team manager,Retail",
    )
    assert said == "Imported: 1 created, 0 updated, 0 unchanged, 0 refused.\n"
    user = get_user_model().objects.get(login_id="zoe")
    assert (user.first_name, user.email_id, user.status) == ("Zoë", "zoe@desk.example", "active")
    assert user.custom_attributes == {"business": "Retail"}
    assert not user.has_usable_password()
    assert roles_of(user) == {"Sales": "Team Manager"}
    change = change_of("zoe")
    assert (change.action, change.door, change.teams) == ("created", "import", [team.pk])
    assert change.after["memberships"] == {str(team.pk): "Team Manager"}
    assert change.trxid


def test_an_empty_email_is_the_login_id(import_):
    import_("First Name,Login ID,Email ID", "Asha,asha@desk.example,")
    assert get_user_model().objects.get().email_id == "asha@desk.example"


def test_a_row_that_names_no_team_joins_the_team_of_the_command(import_, team):
    import_("First Name,Login ID", "Asha,asha@desk.example", arguments=[f"--team={team.pk}"])
    assert roles_of(get_user_model().objects.get()) == {team.name: "Team Agent"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",asha@desk.example,,", "A2: A new user needs a First Name."),
        ("Asha,asha,,", "C2: A new user needs an Email ID, unless the Login ID is one."),
        ("Asha,asha,x,", "C2: Must be an email address, such as 'asha@desk.example'."),
        ("Asha,,x@desk.example,", "B2: Is needed: it says who the user is."),
        ("Asha,-,x@desk.example,", "B2: Cannot be cleared."),
        ("Asha,new,TAKEN@desk.example,", "C2: A user with this email already exists."),
        ("Asha,a@desk.example,,Nobody", "D2: There is no team “Nobody”."),
    ],
)
def test_a_new_user_who_cannot_be_is_refused_with_the_cell(import_, row, reason):
    UserFactory(login_id="other", email_id="taken@desk.example")
    assert import_.refused("First Name,Login ID,Email ID,Team", row) == [reason]
    assert get_user_model().objects.count() == 1


def test_new_users_are_invited_where_that_is_asked(
    import_, settings, mailoutbox, at_once, django_capture_on_commit_callbacks
):
    settings.PUBLIC_URL = "https://desk.example"
    with django_capture_on_commit_callbacks(execute=True):
        import_(
            "First Name,Login ID,Status",
            "Asha,asha@desk.example,",
            "Ben,ben@desk.example,inactive",
            arguments=["--invite"],
        )
    assert [mail.to for mail in mailoutbox] == [["asha@desk.example"]]
    assert Invitation.objects.count() == 1


def test_nobody_is_invited_where_no_mail_is_sent(import_, settings):
    settings.PUBLIC_URL = ""
    with pytest.raises(CommandError, match="--invite: This deployment sends no mail"):
        import_("First Name,Login ID", "Asha,asha@desk.example", arguments=["--invite"])


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("text", ["\0", "a\0b", "x" * 5000, "\u2060", "ß|é|\\", "9" * 400])
def test_no_text_is_an_error_of_the_database(import_, business, column, text):
    row = ["Eve", "eve@desk.example", "eve@desk.example", "", "", ""]
    row[column] = text
    import_(
        "First Name,Login ID,Email ID,Team,custom:business,ID",
        ",".join(row),
        arguments=["--only-valid"],
    )
    assert "1 created" in import_.out.getvalue() or len(import_.reported()) == 2


# Users who are there.


def test_a_row_changes_what_its_cells_say_and_leaves_the_rest(import_, user, business):
    said = import_(
        "Login ID,Status,First Name,custom:business",
        f"{user.login_id.upper()},Inactive,,Banking",
    )
    assert said == "Imported: 0 created, 1 updated, 0 unchanged, 0 refused.\n"
    changed = stored(user)
    assert (changed.status, changed.first_name) == ("inactive", user.first_name)
    assert changed.custom_attributes == {"business": "Banking"}
    change = change_of(user.login_id)
    assert (change.action, change.door) == ("updated", "import")
    assert change.before == {"status": "active", "custom_attributes": {"business": "Retail"}}


def test_a_user_is_found_by_id_where_the_column_is_there(import_, user):
    import_("ID,Last Name,Login ID", f"{user.pk},Iyer,{user.login_id}")
    assert stored(user).last_name == "Iyer"


def test_a_dash_clears_and_a_protected_dash_is_a_text(import_, user, business):
    AttributeDefinitionFactory(name="note")
    import_(
        "Login ID,Last Name,Job Description,custom:business,custom:note",
        f"{user.login_id},-,'-,-,'=1+1",
    )
    changed = stored(user)
    assert (changed.last_name, changed.job_description) == ("", "-")
    assert changed.custom_attributes == {"note": "=1+1"}


def test_a_value_is_read_as_its_type_has_it(import_, user):
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    AttributeDefinitionFactory(kind="skill", name="driver", type="boolean")
    AttributeDefinitionFactory(
        kind="skill", name="languages", type="multiple_choice", choices=["en", "a|b"]
    )
    import_(
        "Login ID,skill:seniority,skill:driver,skill:languages,Login Using Email",
        f"{user.login_id}, 3.5 ,YES,en|a\\|b,TRUE",
    )
    skills = {"chess": 3, "seniority": 3.5, "driver": True, "languages": ["en", "a|b"]}
    assert stored(user).skill_attributes == skills
    assert stored(user).login_using_email is True


def test_a_role_is_changed_and_other_memberships_stay(import_, user, team):
    MembershipFactory(user=user, team=TeamFactory(name="Support"))
    TeamFactory(name="Sales")
    forget_creations()
    import_("Login ID,Team,Role", f"{user.login_id},{team.name}|Sales,Team Analyst|Team Manager")
    assert roles_of(user) == {
        team.name: "Team Analyst",
        "Sales": "Team Manager",
        "Support": "Team Agent",
    }


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        ("Login ID,Email ID", "{login},new@desk.example", "B2: Cannot be changed by an import"),
        ("ID,Login ID", "{id},other", "B2: Cannot be changed by an import"),
        ("ID,Status", "999999,active", "A2: There is no user with this ID."),
        ("Login ID,First Name", "{login},-", "B2: Cannot be cleared."),
        ("Login ID,Status", "{login},away", "B2: Must be one of: 'active', 'inactive'."),
        ("Login ID,custom:business", "{login},Fish", "B2: Must be one of: 'Retail', 'Banking'."),
        ("Login ID,skill:level", "{login},1_000", "B2: Must be a number, not a string."),
        ("Login ID,skill:level", "{login},1e400", "B2: Must be a finite number"),
        ("Login ID,Role", "{login},Team Manager", "B2: Needs a Team."),
        ("Login ID,Team,Role", "{login},{team},Boss", "C2: Must be one of: 'Team Manager'"),
        ("Login ID,Team", "{login},-", "B2: Cannot be cleared: remove the user from teams"),
    ],
)
def test_a_wrong_cell_is_refused_by_its_name(import_, user, team, business, header, row, reason):
    AttributeDefinitionFactory(kind="skill", name="level", type="number")
    before = stored(user).updated_at
    row = row.format(login=user.login_id, id=user.pk, team=team.name)
    [found] = import_.refused(header, row)
    assert found.startswith(reason)
    assert stored(user).updated_at == before


def test_a_long_error_is_cut_off(import_, user):
    choices = [f"{n:0255}" for n in range(1000)]
    AttributeDefinitionFactory(name="x", type="choice", choices=choices)
    [reason] = import_.refused("ID,custom:x", f"{user.pk},none")
    assert "Must be one of: '000" in reason
    assert len(reason) < 2_100


def test_a_cell_of_more_teams_than_there_can_be_is_one_error(import_, user):
    with CaptureQueriesContext(connection) as queries:
        [reason] = import_.refused("ID,Team", f"{user.pk},{'|'.join(map(str, range(20_000)))}")
    assert reason.count("There is no team") == 1
    assert len(queries) < 20


def test_a_user_who_is_named_twice_is_refused_the_second_time(import_, user):
    reasons = import_.refused(
        "ID,Login ID,Status",
        f",{user.login_id},active",
        f"{user.pk},,inactive",
        ",NEW@desk.example,",
        ",new@desk.example,",
    )
    assert "An earlier row names this user already." in reasons[0]
    assert len(reasons) == 3  # the new one is wrong besides


def test_names_that_differ_in_case_or_composition_are_one_user(import_):
    names = ("Andr\u00e9", "ANDRE\u0301", "andr\u00e9\u200b")
    rows = [f"{name},mail{n}@desk.example,André" for n, name in enumerate(names)]
    reasons = import_.refused("Login ID,Email ID,First Name", *rows)
    assert reasons == [f"A{n}: An earlier row names this user already." for n in (3, 4)]


def test_two_users_do_not_swap_their_login_ids(import_):
    one, two = UserFactory(), UserFactory()
    rows = [f"{one.pk},{two.login_id}", f"{two.pk},{one.login_id}"]
    reasons = import_.refused("ID,Login ID", *rows)
    assert len(reasons) == 2
    assert all("Cannot be changed by an import" in reason for reason in reasons)


def test_the_last_active_superuser_stays_active(import_):
    one, two = (AdministratorFactory(is_superuser=True) for _ in range(2))
    rows = ["Login ID,Status", f"{one.login_id},inactive", f"{two.login_id},inactive"]
    assert import_.refused(*rows) == ["B3: The last active superuser cannot be made inactive."]
    import_(*rows, arguments=["--only-valid"])
    assert [stored(user).status for user in (one, two)] == ["inactive", "active"]


# All rows, or the right ones.


ROWS = ("First Name,Login ID", "Asha,asha@desk.example", "Ben,ben")


def test_if_a_row_is_wrong_nothing_is_imported(import_):
    import_.refused(*ROWS)
    assert "Nothing was imported" in import_.out.getvalue()
    assert not get_user_model().objects.exists()


def test_with_only_valid_the_right_rows_are_imported(import_):
    said = import_(*ROWS, arguments=["--only-valid"])
    assert said == "Imported: 1 created, 0 updated, 0 unchanged, 1 refused.\n"
    assert get_user_model().objects.get().first_name == "Asha"


def test_a_dry_run_changes_nothing(import_, user):
    said = import_("Login ID,Status", f"{user.login_id},inactive", arguments=["--dry-run"])
    assert said == "Checked: 0 created, 1 updated, 0 unchanged, 0 refused.\n"
    assert stored(user).status == "active"


def test_the_refused_rows_can_be_corrected_and_imported(import_, user):
    import_(
        "Login ID,Job Description,Last Name,Status",
        f"{user.login_id},'=Lead,-,awake",
        arguments=["--only-valid"],
    )
    text = import_.report.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].endswith("Status,Refused Row,Refused Because")
    import_(*text.replace("awake", "active").splitlines())
    assert (stored(user).job_description, stored(user).last_name) == ("=Lead", "")


def test_run_again_it_changes_nothing(import_):
    import_("First Name,Login ID", "Asha,asha@desk.example")
    said = import_()
    assert said == "Imported: 0 created, 0 updated, 1 unchanged, 0 refused.\n"
    assert Change.objects.count() == 1


def test_rows_are_saved_in_batches_of_few_statements(
    import_, team, django_assert_max_num_queries, monkeypatch
):
    users = [UserFactory(login_id=f"old{n}") for n in range(20)]
    forget_creations()
    lines = [f"{user.login_id},Ann,{team.name}" for user in users]
    lines += [f"new{n}@desk.example,Bea,{team.name}" for n in range(20)]
    with django_assert_max_num_queries(100) as queries:
        import_("Login ID,First Name,Team", *lines)
    statements = data_statements(queries.captured_queries)
    updates = [sql for sql in statements if sql.startswith("UPDATE")]
    # One for each user who changes; on PostgreSQL, one for all.
    assert len(updates) == (1 if connection.vendor == "postgresql" else 20)
    # The rest are the same for any number of rows in the batch.
    assert len(statements) - len(updates) < 45
    assert get_user_model().objects.filter(first_name="Bea", teams=team).count() == 20


# Round trips.


@pytest.mark.parametrize("name", ["all.csv", "all.xlsx"])
def test_what_was_exported_is_imported_again_with_no_change(import_, tmp_path, name, team):
    AttributeDefinitionFactory(name="note")
    AttributeDefinitionFactory(kind="skill", name="n", type="number")
    AttributeDefinitionFactory(kind="skill", name="b", type="boolean")
    AttributeDefinitionFactory(kind="skill", name="m", type="multiple_choice", choices=["|", "-"])
    odd = ["-", "=1", "'=1", "'-", " ", "", "a\r\nb", "_x0041_", 5, True, ["x", 1], {"no": 1}]
    for number, text in enumerate(odd):
        user = UserFactory(
            job_description=str(text).strip(),
            custom_attributes={"note": text},
            skill_attributes={"n": -1.5e300, "b": False, "m": ["|", "-"][: number % 3]},
        )
        for role in ["Team Analyst", "Team Manager"][: number % 3]:
            MembershipFactory(user=user, team=TeamFactory(name=f"-|{number}{role}"), role=role)
    forget_creations()
    count = Change.objects.count()
    import_.path = tmp_path / name
    call_command("export_users", str(import_.path))
    assert import_() == "Imported: 0 created, 0 updated, 12 unchanged, 0 refused.\n"
    assert Change.objects.count() == count


@pytest.mark.parametrize(
    ("stored_value", "cell", "changes"),
    [
        (2**53 - 1, "9007199254740990", False),
        (123456789.12345679, "123456789.123457", False),
        (1.2345678901234568e17, "1.23456789012346E+017", False),
        (0.5, "0.50", False),
        (123456789.12345679, "123456789.12346", True),
        (1, "true", True),
        (1, f"1{'0' * 390}", True),
        ("a\r\nb\rc", '"a\nb\nc"', False),
        ("a\r\nb", '"a\nb "', True),
    ],
)
def test_what_a_spreadsheet_program_makes_of_a_value_is_no_change(
    import_, user, stored_value, cell, changes
):
    AttributeDefinitionFactory(name="x", type="text" if isinstance(stored_value, str) else "number")
    user.custom_attributes = {"x": stored_value}
    user.save()
    header, row = "ID,custom:x", f"{user.pk},{cell}"
    with contextlib.suppress(CommandError):
        import_(header, row)
    assert ("1 unchanged" in import_.out.getvalue()) != changes


# Of users who were exported, with these values: the file was then opened and saved by LibreOffice,
# as a workbook and as CSV with semicolons.
SAVED_AGAIN = [
    ("=1+1", 2**53 - 1, True),
    ("+49 30 123", 123456789.12345679, False),
    ("-", -1.5e300, None),
    ("007", 0.1, None),
    ("1E5", -0.0, None),
    ("TRUE", 1e22, None),
    ("2026-11-01", None, None),
    ("Zoë Ünï ß 😀", None, None),
    ('a;"b"\r\nc', None, None),
    ("1,5", None, None),
]


@pytest.mark.parametrize("name", ["saved_again.xlsx", "saved_again.csv"])
def test_an_export_that_libreoffice_saved_again_is_imported_with_no_change(import_, name):
    AttributeDefinitionFactory(name="n", type="number")
    AttributeDefinitionFactory(name="b", type="boolean")
    for number, (job, n, b) in enumerate(SAVED_AGAIN):
        found = {"n": n, "b": b}
        UserFactory(
            login_id=f"saved{number}",
            job_description=job,
            custom_attributes={key: value for key, value in found.items() if value is not None},
        )
    import_.path = FILES / name
    assert (
        import_(arguments=["--dry-run"])
        == "Checked: 0 created, 0 updated, 10 unchanged, 0 refused.\n"
    )


# Files.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Login ID,Phone", "There is no column “Phone”. There are: ID, First Name, Last Name"),
        ("Login ID,login id", "The column “Login ID” is there twice."),
        ("First Name", "There must be a column “Login ID” or “ID” in the first row."),
        ("", "There must be a column “Login ID” or “ID” in the first row."),
    ],
)
def test_a_file_of_other_columns_is_refused(import_, content, message):
    with pytest.raises(CommandError) as caught:
        import_(content)
    assert message in str(caught.value)


def test_a_file_of_nothing_but_its_first_row_does_nothing(import_):
    said = import_("\ufeffLogin ID,First Name")
    assert said == "Imported: 0 created, 0 updated, 0 unchanged, 0 refused.\n"


def test_a_file_that_is_wrong_at_its_end_is_refused_before_anything_is_imported(import_):
    rows = "".join(f"Asha,asha{n}@desk.example\n" for n in range(1500))
    import_.path.write_bytes(f"First Name,Login ID\n{rows}".encode() + b"\xff,x")
    with pytest.raises(CommandError, match="this is not UTF-8"):
        import_(arguments=["--only-valid"])
    assert not get_user_model().objects.exists()


def test_another_encoding_is_read_if_it_is_named(import_):
    import_.path.write_bytes("First Name,Login ID\nZoë,zoe@desk.example\n".encode("cp1252"))
    import_(arguments=["--encoding=windows-1252"])
    assert get_user_model().objects.get().first_name == "Zoë"


def test_columns_that_only_exports_have_are_left(import_, user):
    said = import_("Login ID,Active Chats,Created At", f"{user.login_id},99,never")
    assert "1 unchanged" in said
