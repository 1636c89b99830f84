"""The documents say what the software does."""

import json
import re

import pytest
from django.core.management import call_command

from tests.assertions import assert_refused
from tests.conftest import Caller
from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    issue_token,
)
from tests.server import DEPLOYED, PROJECT
from users import changes, search
from users.api.serializers import UserUpdateSerializer
from users.attributes.rules import KINDS
from users.models import AccessToken, Team

README = (PROJECT / "README.md").read_text()
API = (PROJECT / "users" / "api" / "README.md").read_text()
CONFIG = (PROJECT / "config" / "README.md").read_text()


def block(text, language, number=0):
    """Return the text of a code block."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[number]


def rows(text, heading):
    """Return the cells of the table under a header line that begins with `heading`."""
    table = text.partition(f"\n| {heading}")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


@pytest.fixture
def asha(db):
    ChoiceFactory(name="business", choices=["Retail", "Banking"])
    team = TeamFactory()
    user = UserFactory(
        login_id="asha",
        custom_attributes={"location": "Mumbai"},
        skill_attributes={"languages": ["en", "hi"], "seniority": 4},
    )
    MembershipFactory(user=user, team=team)
    return Caller(user, team, issue_token(team))


def test_the_printed_call_gets_the_printed_answer(asha):
    body = re.search(r"-d '(.*)'", block(README, "console"))[1]
    answer = asha(body.encode()).json()
    printed = json.loads(block(README, "json"))
    own = {name: answer["response"][name] for name in ("id", "created_at", "updated_at")}
    assert answer == {**printed, "response": {**printed["response"], **own}}


def test_the_printed_refusal_is_what_is_answered(asha):
    printed = json.loads(block(README, "json", 1))
    answer = asha({"custom_attributes": {"business": "Fishing"}})
    assert_refused(answer, printed["status_code"], printed["response"]["errors"])


def test_the_printed_search_finds_users(asha):
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    asha({"custom_attributes": {"business": "Banking"}})
    answer = asha(block(API, "json").encode(), "POST", path="/api/users/search").json()
    assert [user["login_id"] for user in answer["response"]["users"]] == ["asha"]


def test_the_operators_of_a_search_are_those_of_its_table():
    table = API.partition("\n| parameter | operators |")[2].partition("\n\n")[0].splitlines()[2:]
    printed = {
        name: set(re.findall(r"eq|in|lte?|gte?|contains|exists", row.split("|")[2].split("; ")[0]))
        for row in table
        for name in row.split("|")[1].strip().split(", ")
    }
    assert printed.keys() == {*search.PARAMETERS, *KINDS}
    for name, parameter in search.PARAMETERS.items():
        assert set(parameter.operators) <= printed[name]


def test_the_printed_bulk_update_is_answered_item_by_item(asha):
    agent7 = UserFactory(login_id="agent7")
    MembershipFactory(user=agent7, team=Team.objects.get())
    items = json.loads(block(API, "json", 2))["users"]
    items[0]["id"] = int(asha.path.rpartition("/")[2])
    envelope = asha({"users": items}, path="/api/users").json()
    assert envelope["status_code"] == 4309
    assert envelope["response"]["users"][1]["id"] == agent7.pk


def test_the_printed_creation_creates_a_user(asha):
    envelope = asha(block(API, "json", 1).encode(), "POST", path="/api/users").json()
    assert (envelope["status_code"], envelope["response"]["login_id"]) == (4308, "mia")


def test_the_printed_change_is_shown_as_the_calls_show_one(asha):
    asha({"job_description": "Team lead"})
    printed = json.loads(block(API, "json", 3))
    answer = asha(method="GET", path=f"{asha.path}/history?page_size=1").json()
    assert list(answer) == list(printed)
    assert list(answer["response"]["changes"][0]) == list(printed["response"]["changes"][0])


def test_the_table_of_parameters_is_the_serializers():
    assert [row[0] for row in rows(API, "parameter")] == list(UserUpdateSerializer().fields)


def test_the_table_of_a_creation_has_what_an_update_has_not():
    assert {row[0] for row in rows(API, "new")} == {*changes.NEW_FIELDS, "privileges", "invite"}


def test_every_setting_is_in_the_table():
    source = (PROJECT / "config" / "settings.py").read_text()
    read = set(re.findall(r'(?:environ\.get|_boolean)\(\s*"(\w+)"', source))
    assert {row[0].strip("`") for row in rows(CONFIG, "variable")} == read


def test_what_is_deployed_is_what_the_tests_serve():
    deployed = re.search(
        r"^python -m config.serve (.*?) --static-path-mount",
        block(README, "sh"),
        re.DOTALL | re.MULTILINE,
    )
    assert deployed[1].replace("\\\n", "").split() == DEPLOYED.split()


@pytest.mark.parametrize(
    "path",
    [
        path.relative_to(PROJECT)
        for path in (
            *PROJECT.glob("*.md"),
            *PROJECT.glob("config/*.md"),
            *PROJECT.glob("users/**/*.md"),
            *PROJECT.glob("tests/*/*.md"),
        )
    ],
    ids=str,
)
def test_every_link_leads_somewhere(path):
    for target in re.findall(r"\]\((?!https://)([^)\s]+)\)", (PROJECT / path).read_text()):
        name, _, section = target.partition("#")
        found = (PROJECT / path).parent / name if name else PROJECT / path
        assert found.is_file(), target
        if section:
            headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings]
            assert section in anchors, target


def test_no_entry_of_the_changelog_was_cut_or_doubled_by_a_merge():
    text = (PROJECT / "CHANGELOG.md").read_text().partition("## [Unreleased]")[2]
    entries = [
        " ".join(entry.split())
        for entry in re.findall(r"^- (.*?)(?=\n- |\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    ]
    assert [entry for entry in entries if not entry.endswith((".", ":"))] == []
    beginnings = [" ".join(entry.split()[:5]) for entry in entries]
    assert sorted(set(beginnings)) == sorted(beginnings)


@pytest.mark.django_db
def test_the_printed_commands_run(tmp_path, settings, capsys):
    settings.STATIC_ROOT = tmp_path
    TeamFactory(pk=1)
    printed = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    commands = re.findall(r"^python manage.py (\w+)", printed, re.MULTILINE)
    assert commands == ["migrate", "collectstatic", "createsuperuser", "create_access_token"]
    call_command("migrate", verbosity=0)
    call_command("collectstatic", "--no-input", verbosity=0)
    call_command("create_access_token", "HR system", "--team", "1", "--days", "90")
    assert capsys.readouterr().out.startswith("desk_")
    assert AccessToken.objects.get().name == "HR system"
