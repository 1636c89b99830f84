"""`POST /api/users` as a whole: its answer, what it stores and what it costs."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.conftest import REQUIRED
from tests.assertions import assert_created, assert_refused
from tests.database import data_statements
from tests.factories import PASSWORD, TeamFactory, issue_token
from users.models import Change

User = get_user_model()


def test_the_answer_is_the_user_as_the_call_for_one_has_it(create, call):
    response = create(
        last_name="Martin",
        status="active",
        job_description="Agent",
        login_using_email=True,
        skill_attributes={"chess": 3},
        active_chats=2,
    )
    user = assert_created(response)
    same = call(method="GET", path=response["Location"])
    assert response.json()["response"] == same.json()["response"]
    assert response["ETag"] == same["ETag"]
    assert response["Location"] == f"/api/users/{user.pk}"
    assert list(response.json()["response"].items())[3:] == [
        ("first_name", "Chloe"),
        ("last_name", "Martin"),
        ("login_id", "chloe"),
        ("email_id", "chloe@desk.example"),
        ("status", "active"),
        ("logged_in", False),
        ("job_description", "Agent"),
        ("login_using_email", True),
        ("role_type", "Customer Care"),
        ("accepting_chats", False),
        ("skill_attributes", {"chess": 3}),
        ("active_chats", 2),
        ("custom_attributes", {}),
    ]


def test_what_is_left_out_has_its_default(create, team):
    user = assert_created(create())
    assert (user.last_name, user.status, user.active_chats) == ("", "active", 0)
    assert (user.is_superuser, user.is_staff, user.has_usable_password()) == (False, False, False)
    assert [(m.team, m.role) for m in user.memberships.all()] == [(team, "Team Agent")]


def test_a_trailing_slash_is_the_same_call(call):
    response = call(REQUIRED, "POST", path="/api/users/")
    assert response["Location"] == f"/api/users/{assert_created(response).pk}"


@pytest.mark.urls("tests.api.mounted_elsewhere")
def test_the_location_is_below_the_mount_of_the_calls(call):
    response = call(REQUIRED, "POST", path="/d%C3%A9sk/7/users")
    assert response["Location"] == f"/d%C3%A9sk/7/users/{assert_created(response).pk}"
    assert call(method="GET", path=response["Location"]).status_code == 200


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_parameter_that_is_missing_is_named(create, name):
    assert_refused(create(**{name: None}), 3115, {name: ["This parameter is required."]})


def test_all_errors_are_reported_at_once(create, team, business):
    response = create(
        first_name="",
        login_id=None,
        email_id="chloe",
        password=12,
        custom_attributes={"business": "Bakery"},
        role_type="Administrative",
        privileges=[],
        active_chats="2",
        status=None,
    )
    assert_refused(
        response,
        3115,
        {
            "first_name": ["Must have 1 to 150 characters, and has 0."],
            "login_id": ["This parameter is required."],
            "email_id": ["Must be an email address, such as 'asha@desk.example'."],
            "password": ["Must be a string, not a number."],
            "custom_attributes": {"business": ["Must be one of: 'Retail', 'Banking'."]},
            "role_type": ["There is no such parameter."],
            "privileges": [f"The header's team ({team.pk}) must be among them."],
            "active_chats": ["Must be an integer, not a string."],
        },
    )
    assert not User.objects.filter(first_name="").exists()


@pytest.mark.parametrize(
    "name", ["role_type", "accepting_chats", "is_superuser", "is_staff", "groups", "id", "user"]
)
def test_what_a_creation_cannot_set_is_an_error(create, name):
    assert_refused(create(**{name: 1}), 3115, {name: ["There is no such parameter."]})


def test_attributes_are_taken_as_in_a_put(create):
    errors = {
        "skill_attributes": {
            "chess": ["Must be a string, a number, a boolean, or a list of these, not null."]
        }
    }
    assert_refused(create(skill_attributes={"chess": None}), 3115, errors)


@pytest.mark.parametrize(("name", "code"), [("business", 3107), ("location", 3110)])
def test_an_invalid_attribute_has_its_own_code(create, business, location, name, code):
    response = create(custom_attributes={name: 3}, login_id="agent0")  # which is taken, too
    errors = {"custom_attributes": {name: ["Must be a string, not a number."]}}
    assert_refused(response, code, errors)


def test_a_repeated_member_is_an_error(call):
    body = b'{"first_name": "C", "login_id": "c", "login_id": "d", "email_id": "c@desk.example"}'
    response = call(body, "POST", path="/api/users")
    repeated = ["Is repeated: an object may hold a member once."]
    assert_refused(response, 3115, {"login_id": repeated})


@pytest.mark.parametrize("body", [b"", b" ", b"{}"])
def test_no_body_is_no_creation(call, body):
    assert_refused(call(body, "POST", path="/api/users"), 3114)


@pytest.mark.parametrize("extra", [0, 1])
def test_a_body_may_have_a_mebibyte_and_no_byte_more(call, extra):
    start = b'{"first_name": "C", "x": "'
    body = start + b"x" * (1_048_576 - len(start) - 2 + extra) + b'"}'
    names = call(body, "POST", path="/api/users").json()["response"]["errors"]
    assert ("body" in names) == bool(extra)


def test_the_query_is_not_looked_at(call):
    assert_created(call(REQUIRED, "POST", path="/api/users?page=x&page=y"))


def test_a_read_only_token_creates_nobody(create, team):
    token = issue_token(team, read_only=True)
    assert_refused(create({"Authorization": f"Bearer {token}"}), 9403)
    assert not User.objects.filter(login_id="chloe").exists()


def test_the_creation_with_its_memberships_is_one_line_of_the_history(create, call, user, team):
    other = TeamFactory()
    token = issue_token(team, other)
    privileges = [
        {"teamid": other.pk, "role": "Team Manager"},
        {"teamid": team.pk, "role": "Team Analyst"},
    ]
    before = Change.objects.count()
    response = create(
        {"Authorization": f"Bearer {token}"}, privileges=privileges, password=PASSWORD
    )
    created = assert_created(response)
    assert Change.objects.count() == before + 1
    change = Change.objects.latest("id")
    assert (change.action, change.door, change.by_type) == ("created", "api", "access_token")
    assert (change.user_id, change.trxid, change.before) == (created.pk, response["trxid"], {})
    assert sorted(change.teams) == sorted([team.pk, other.pk])
    assert change.after["password"] == "set"
    assert change.after["memberships"] == {
        str(team.pk): "Team Analyst",
        str(other.pk): "Team Manager",
    }


def test_an_inactive_user_can_be_made(create):
    assert assert_created(create(status="inactive")).status == "inactive"


def test_a_creation_costs_four_statements(create, call, business):
    call({"first_name": "Asha"})  # the note of the token's use is taken
    with CaptureQueriesContext(connection) as queries:
        response = create(password=PASSWORD)
    assert_created(response)
    # 1. the token, with the team that it is granted
    # 2. the user
    # 3. the memberships
    # 4. the line in the history, with the user's teams
    assert len(data_statements(queries)) == 4, data_statements(queries)


def test_attributes_and_other_teams_cost_a_statement_each(create, call, team, business):
    other = TeamFactory()
    headers = {"Authorization": f"Bearer {issue_token(team, other)}"}
    call({"first_name": "Asha"}, headers=headers)
    privileges = [{"teamid": t.pk, "role": "Team Agent"} for t in (team, other)]
    with CaptureQueriesContext(connection) as queries:
        response = create(headers, custom_attributes={"business": "Retail"}, privileges=privileges)
    assert_created(response)
    # 5. the teams that the token is granted
    # 6. the definitions of attributes
    assert len(data_statements(queries)) == 6, data_statements(queries)


def test_a_name_that_is_taken_costs_one_statement_more_than_the_refused_one(create, call, user):
    call({"first_name": "Asha"})
    with CaptureQueriesContext(connection) as queries:
        assert create(login_id=user.login_id).status_code == 409
    # 1. the token, 2. the user, whom the database refuses, 3. whose the names are
    assert len(data_statements(queries)) == 3, data_statements(queries)
