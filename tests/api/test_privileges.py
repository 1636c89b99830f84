"""The parameter `privileges` of a creation: teams and roles."""

import pytest

from tests.assertions import assert_created, assert_refused
from tests.factories import TeamFactory, issue_token
from users.models import Membership


@pytest.fixture
def other(team):
    """Another team that the token is granted."""
    return TeamFactory()


@pytest.fixture
def token(team, other):
    return issue_token(team, other)


def privilege(team, role="Team Agent"):
    return {"teamid": getattr(team, "pk", team), "role": role}


@pytest.mark.parametrize("role", Membership.Role.values)
def test_each_role_can_be_given_in_each_granted_team(create, team, other, role):
    user = assert_created(create(privileges=[privilege(other, role), privilege(team)]))
    assert set(user.memberships.values_list("team", "role")) == {
        (other.pk, role),
        (team.pk, "Team Agent"),
    }


@pytest.mark.parametrize(
    "role", ["team agent", "Team agent", "TEAM AGENT", "Agent", " Team Agent", "", "Administrative"]
)
def test_another_role_is_refused(create, team, role):
    error = "Item 1: The 'role' must be one of: 'Team Manager', 'Team Agent', 'Team Analyst'."
    assert_refused(create(privileges=[privilege(team, role)]), 3115, {"privileges": [error]})


def test_a_team_twice_is_refused(create, team, other):
    privileges = [privilege(team), privilege(other), privilege(team, "Team Manager")]
    error = "Item 3: An earlier item names this team already."
    assert_refused(create(privileges=privileges), 3115, {"privileges": [error]})


@pytest.mark.parametrize("exists", [True, False])
def test_a_team_that_is_not_granted_looks_like_none(create, team, exists):
    elsewhere = TeamFactory().pk if exists else 2**63
    error = f"The team {elsewhere} is not granted to the access token."
    response = create(privileges=[privilege(team), privilege(elsewhere)])
    assert_refused(response, 3115, {"privileges": [error]})


@pytest.mark.parametrize("named", [True, False])
def test_the_headers_team_must_be_among_them(create, team, other, named):
    privileges = [privilege(other)] if named else []
    error = f"The header's team ({team.pk}) must be among them."
    assert_refused(create(privileges=privileges), 3115, {"privileges": [error]})


MEMBERS = "Must have the members 'teamid' and 'role', and no others."


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (3, "Must be an object, not a number."),
        (None, "Must be an object, not null."),
        ([], "Must be an object, not a list."),
        ({}, MEMBERS),
        ({"teamid": 1}, MEMBERS),
        ({"teamid": 1, "role": "Team Agent", "user": 1}, MEMBERS),
        (privilege("1"), "The 'teamid' must be an integer, not a string."),
        (privilege(True), "The 'teamid' must be an integer, not a boolean."),
        (privilege(1.0), "The 'teamid' must be an integer, not a number."),
        (privilege(None), "The 'teamid' must be an integer, not null."),
        (privilege(1, None), "The 'role' must be a string, not null."),
    ],
)
def test_an_invalid_item_is_named_by_its_number(create, team, item, error):
    response = create(privileges=[privilege(team), item])
    assert_refused(response, 3115, {"privileges": [f"Item 2: {error}"]})


@pytest.mark.parametrize(
    ("value", "type_"), [({}, "an object"), ("1", "a string"), (1, "a number"), (True, "a boolean")]
)
def test_another_type_is_no_list(create, value, type_):
    assert_refused(
        create(privileges=value), 3115, {"privileges": [f"Must be a list, not {type_}."]}
    )


def test_null_is_no_list(call):
    body = b'{"first_name": "C", "login_id": "c", "email_id": "c@x.org", "privileges": null}'
    response = call(body, "POST", path="/api/users")
    assert_refused(response, 3115, {"privileges": ["Must not be null."]})


def test_a_long_list_is_refused_whole(create):
    error = "Must have at most 1000 items, and has 1001."
    assert_refused(create(privileges=[1] * 1001), 3115, {"privileges": [error]})


def test_a_member_that_is_repeated_is_an_error(call, team):
    item = f'{{"teamid": {team.pk}, "role": "Team Agent", "role": "Team Manager"}}'
    body = f'{{"first_name": "C", "login_id": "c", "email_id": "c@x.org", "privileges": [{item}]}}'
    response = call(body.encode(), "POST", path="/api/users")
    error = "Holds an object in which a member is repeated."
    assert_refused(response, 3115, {"privileges": [error]})
