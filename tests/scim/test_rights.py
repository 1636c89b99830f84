"""Who is let in, whom he sees, and whom he may change."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.database import row
from tests.factories import (
    AdministratorFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    an_hour_ago,
    issue_token,
)
from tests.scim.calls import (
    GROUP,
    PATCH,
    SEARCH,
    USER,
    Provider,
    assert_empty,
    assert_refused,
    body_of,
    group_path,
    ids,
    listed,
    user_path,
)
from users import tokens
from users.api import rate_limits
from users.models import AccessToken, Change, Membership, Team

User = get_user_model()

ACTIVATE = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": True}]}
BRUNO = {
    "schemas": [USER],
    "userName": "bruno",
    "name": {"givenName": "Bruno"},
    "emails": [{"value": "bruno@desk.example"}],
}
SALES = {"schemas": [GROUP], "displayName": "Sales"}

READING = [
    ("GET", "/Users", None),
    ("GET", "/Users/{user}", None),
    ("POST", "/Users/.search", {"schemas": [SEARCH]}),
    ("GET", "/Groups", None),
    ("GET", "/Groups/{group}", None),
    ("POST", "/Groups/.search", {"schemas": [SEARCH]}),
    ("GET", "/ResourceTypes", None),
    ("GET", "/Schemas", None),
]
WRITING = [
    ("POST", "/Users", BRUNO),
    ("PUT", "/Users/{user}", BRUNO),
    ("PATCH", "/Users/{user}", ACTIVATE),
    ("DELETE", "/Users/{user}", None),
    ("POST", "/Groups", SALES),
    ("PUT", "/Groups/{group}", SALES),
    ("PATCH", "/Groups/{group}", ACTIVATE),
    ("DELETE", "/Groups/{group}", None),
]
#: Those that name one user or group.
OF_ONE = [call for call in READING + WRITING if "{" in call[1]]


def names(calls):
    return {
        "argnames": ("method", "path", "body"),
        "argvalues": calls,
        "ids": [f"{m} {p}" for m, p, _ in calls],
    }


@pytest.fixture
def provider(scim_team, team):
    """An identity provider whose token is granted its SCIM team and `team`."""
    return Provider(issue_token(team, scim_team=scim_team))


@pytest.fixture
def ask(provider, provisioned, team):
    """Make a call of the lists above with some token; the provider's unless a test says."""

    def call(method, path, body, secret=None, **headers):
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        path = path.format(user=provisioned.pk, group=team.pk)
        return provider(method, path, body if body else b"", headers=headers)

    return call


def looks(response):
    """Return all that a caller sees of an answer, but for what names the request."""
    headers = {name: value for name, value in response.headers.items() if name != "trxid"}
    return response.status_code, response.content.decode(), headers


# The token


@pytest.mark.parametrize(**names(READING + WRITING))
def test_no_call_is_answered_without_a_token(ask, method, path, body):
    response = ask(method, path, body, Authorization=None)
    assert_refused(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_what_the_service_can_do_is_told_without_a_token(provider):
    response = provider("GET", "/ServiceProviderConfig", headers={"Authorization": None})
    config = body_of(response)
    assert config["patch"]["supported"] is True
    assert config["bulk"]["supported"] is False


def test_refused_tokens_all_look_the_same(ask, team, scim_team):
    refused = [
        tokens.new_token(),
        "x",
        issue_token(team, scim_team=scim_team, revoked_at=timezone.now()),
        issue_token(team, scim_team=scim_team, expires_at=an_hour_ago()),
        issue_token(team, scim_team=scim_team, revoked_at=timezone.now(), expires_at=an_hour_ago()),
        issue_token(team, expires_at=an_hour_ago()),
    ]
    seen = [looks(ask(*READING[0], secret=secret)) for secret in refused]
    assert seen[0][0] == 401
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic {}", "{}", "Bearer {} {}", "\x80"])
def test_what_is_no_bearer_token_is_refused(ask, authorization):
    secret = issue_token()
    response = ask(*READING[0], Authorization=authorization.format(secret, secret))
    assert_refused(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_token_in_the_url_lets_nobody_in(provider, scim_team):
    secret = issue_token(scim_team=scim_team)
    response = provider("GET", f"/Users?access_token={secret}", headers={"Authorization": None})
    assert_refused(response, 401)


@pytest.mark.parametrize(**names(READING + WRITING))
def test_a_token_without_a_scim_team_is_refused(ask, team, provisioned, method, path, body):
    before = row(provisioned)
    assert_refused(ask(method, path, body, secret=issue_token(team)), 403)
    assert row(provisioned) == before


@pytest.mark.parametrize(**names(WRITING))
def test_a_token_that_may_only_read_is_refused_where_it_writes(
    ask, team, scim_team, provisioned, method, path, body
):
    before, lines = row(provisioned), Change.objects.count()
    secret = issue_token(team, scim_team=scim_team, read_only=True)
    assert_refused(ask(method, path, body, secret=secret), 403)
    assert (row(provisioned), Change.objects.count()) == (before, lines)
    assert {each.name for each in Team.objects.all()} == {"Provisioned", "Support"}


@pytest.mark.parametrize(**names(READING))
def test_a_token_that_may_only_read_reads(ask, team, scim_team, method, path, body):
    secret = issue_token(team, scim_team=scim_team, read_only=True)
    body_of(ask(method, path, body, secret=secret))


def test_the_team_in_the_header_is_not_looked_at(ask):
    body_of(ask(*READING[0], teamid="x"))


def test_the_use_of_a_token_is_noted(ask):
    ask(*READING[0])
    assert AccessToken.objects.get().last_used_at is not None


@pytest.fixture
def limit(settings, monkeypatch):
    """Let a token make two calls a day, and begin with an empty cache."""
    settings.USERS_RATE_LIMIT = 2
    cache.clear()
    monkeypatch.setattr(rate_limits, "_counter", rate_limits._Counter())
    yield
    cache.clear()


def test_calls_beyond_the_rate_limit_are_refused(ask, limit, provisioned):
    left = [ask(*READING[0])["Rate-Limit-Remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    before = row(provisioned)
    for call in (READING[0], WRITING[2], WRITING[3]):
        response = ask(*call)
        assert_refused(response, 429)
        assert int(response["Retry-After"]) > 0
    assert row(provisioned) == before


def test_scim_and_the_other_calls_count_together(ask, limit, call, provider):
    headers = {"Authorization": provider.headers["Authorization"]}
    ask(*READING[0])
    call(method="GET", headers=headers)
    assert call(method="GET", headers=headers).json()["status_code"] == 9429


def test_without_a_token_nothing_is_counted(ask, limit):
    for _ in range(3):
        ask(*READING[0], Authorization=None)
    assert ask(*READING[0])["Rate-Limit-Remaining"] == "1"


# Users of other teams


def test_users_of_other_teams_are_neither_listed_nor_counted(provider, provisioned, stranger):
    response = provider.get("/Users")
    assert ids(response) == [str(provisioned.pk)]
    assert response.json()["totalResults"] == 1


def conditions(user):
    return [
        f'id eq "{user.pk}"',
        f'userName eq "{user.login_id}"',
        f'userName sw "{user.login_id}"',
        f'emails.value eq "{user.email_id}"',
        f'emails[type eq "work" and value eq "{user.email_id}"]',
        f'externalId eq "{user.external_id}"',
        f'not (userName ne "{user.login_id}")',
        f'userName eq "nobody" or userName eq "{user.login_id}"',
        f'(id eq "{user.pk}") or (active eq true and id eq "{user.pk}")',
    ]


def test_users_of_other_teams_are_found_by_no_filter(provider, provisioned, stranger):
    User.objects.filter(pk=stranger.pk).update(external_id="ext-1")
    stranger.refresh_from_db()
    for condition in conditions(stranger):
        response = provider.get("/Users", filter=condition)
        assert listed(response) == []
        assert response.json()["totalResults"] == 0
        search = {"schemas": [SEARCH], "filter": condition}
        assert listed(provider.post("/Users/.search", search)) == []


def test_no_count_tells_of_users_of_other_teams(provider, provisioned, stranger):
    for condition in ("userName pr", 'userName ne "x"', 'not (userName eq "x")', "active eq true"):
        response = provider.get("/Users", filter=condition, count=0)
        assert response.json()["totalResults"] == 1


@pytest.mark.parametrize(**names([call for call in OF_ONE if "{user}" in call[1]]))
def test_a_user_of_another_team_looks_like_nobody(provider, stranger, method, path, body):
    before = row(stranger)
    provider.get("/Users")  # the use of the token is noted
    nobody = stranger.pk + 1000
    seen = []
    for user_id in (stranger.pk, nobody, 0, 2**63, "x", "9" * 40):
        with CaptureQueriesContext(connection) as queries:
            response = provider(method, path.format(user=user_id), body or b"")
        assert_refused(response, 404)
        seen.append((looks(response), len(queries)))
    assert seen[0] == seen[1]  # an id that no user can have need not be looked up
    assert len({json.dumps(look) for look, _ in seen}) == 1
    assert row(stranger) == before


@pytest.mark.parametrize(**names([call for call in OF_ONE if "{group}" in call[1]]))
def test_a_team_that_is_not_granted_looks_like_none(
    provider, scim_team, stranger, method, path, body
):
    provider.get("/Users")
    other = stranger.memberships.get().team
    nothing = other.pk + 1000
    seen = []
    for team_id in (other.pk, scim_team.pk, nothing, 0, 2**63, "x"):
        response = provider(method, path.format(group=team_id), body or b"")
        assert_refused(response, 404)
        seen.append(json.dumps(looks(response)))
    assert len(set(seen)) == 1
    assert Team.objects.filter(pk__in=(other.pk, scim_team.pk)).count() == 2


def test_groups_are_the_granted_teams_without_the_scim_team(provider, team, stranger):
    response = provider.get("/Groups")
    assert ids(response) == [str(team.pk)]
    assert response.json()["totalResults"] == 1


def test_a_granted_scim_team_is_no_group_either(scim_team, team):
    provider = Provider(issue_token(team, scim_team, scim_team=scim_team))
    assert ids(provider.get("/Groups")) == [str(team.pk)]


def test_teams_that_are_not_granted_are_found_by_no_filter(provider, scim_team, stranger):
    other = stranger.memberships.get().team
    for condition in (
        f'id eq "{other.pk}"',
        f'displayName eq "{other.name}"',
        f'displayName eq "{scim_team.name}"',
        f'members eq "{stranger.pk}"',
        f'members.value eq "{stranger.pk}"',
        f'displayName ne "x" and members[value eq "{stranger.pk}"]',
    ):
        assert ids(provider.get("/Groups", filter=condition)) == []


def test_members_whom_the_provider_sees_are_shown_with_the_granted_teams_alone(
    provider, provisioned, team, stranger
):
    MembershipFactory(user=provisioned, team=team)
    MembershipFactory(user=provisioned, team=stranger.memberships.get().team)
    groups = body_of(provider.get(user_path(provisioned)))["groups"]
    assert [group["value"] for group in groups] == [str(team.pk)]
    members = body_of(provider.get(group_path(team)))["members"]
    assert [each["value"] for each in members] == [str(provisioned.pk)]


def as_member(user_id):
    entry = [{"value": str(user_id)}]
    return [
        ("PATCH", {"schemas": [PATCH], "Operations": [operation]})
        for operation in (
            {"op": "add", "path": "members", "value": entry},
            {"op": "replace", "path": "members", "value": entry},
            {"op": "add", "value": {"members": entry}},
        )
    ] + [("PUT", {**SALES, "members": entry}), ("POST", {**SALES, "members": entry})]


@pytest.mark.parametrize("n", range(5), ids=["add", "replace", "no path", "PUT", "POST"])
def test_a_user_of_another_team_is_no_member_and_looks_like_nobody(provider, team, stranger, n):
    provider.get("/Users")
    seen = []
    for user_id in (stranger.pk, stranger.pk + 1000, 0, 2**70, "x"):
        method, body = as_member(user_id)[n]
        path = "/Groups" if method == "POST" else group_path(team)
        response = provider(method, path, body)
        assert_refused(response, 400, "invalidValue")
        seen.append(json.dumps(looks(response)))
    assert len(set(seen)) == 1
    assert not team.memberships.exists()
    assert not Team.objects.filter(name="Sales").exists()


def test_of_members_one_who_is_not_seen_refuses_all(provider, provisioned, team, stranger):
    entries = [{"value": str(provisioned.pk)}, {"value": str(stranger.pk)}]
    response = provider.patch(group_path(team), {"op": "add", "path": "members", "value": entries})
    assert_refused(response, 400, "invalidValue")
    assert not team.memberships.exists()


@pytest.mark.parametrize("taken", ["userName", "emails"])
def test_a_name_that_is_taken_does_not_tell_by_whom(provider, provisioned, stranger, taken):
    provider.get("/Users")
    seen = []
    for user in (provisioned, stranger):
        value = {
            "userName": user.login_id.upper(),
            "emails": [{"value": user.email_id.upper()}],
        }[taken]
        response = provider.post("/Users", {**BRUNO, taken: value})
        assert_refused(response, 409, "uniqueness")
        seen.append(looks(response))
    assert seen[0] == seen[1]


def test_a_user_who_was_ended_through_another_scim_team_is_not_taken_back(provider, provisioned):
    other = Provider(issue_token(scim_team=TeamFactory()))
    assert_empty(provider.delete(user_path(provisioned)))
    sent = {**BRUNO, "userName": provisioned.login_id}
    assert_refused(other.post("/Users", sent), 409, "uniqueness")
    assert body_of(provider.post("/Users", sent), 201)["id"] == str(provisioned.pk)


def test_a_user_whom_an_operator_made_is_not_taken_over(provider):
    user = UserFactory(status="inactive")  # in no team
    sent = {**BRUNO, "userName": user.login_id}
    assert_refused(provider.post("/Users", sent), 409, "uniqueness")
    assert not user.memberships.exists()


def test_a_user_who_was_ended_and_is_in_a_team_again_is_not_taken_back(provider, provisioned):
    assert_empty(provider.delete(user_path(provisioned)))
    MembershipFactory(user=provisioned)
    sent = {**BRUNO, "userName": provisioned.login_id}
    assert_refused(provider.post("/Users", sent), 409, "uniqueness")


@pytest.mark.parametrize("right", [{"role_type": "Administrative"}, {"is_superuser": True}])
def test_a_user_who_was_ended_and_became_an_administrator_is_not_taken_back(
    provider, provisioned, right
):
    assert_empty(provider.delete(user_path(provisioned)))
    User.objects.filter(pk=provisioned.pk).update(**right)
    sent = {**BRUNO, "userName": provisioned.login_id}
    assert_refused(provider.post("/Users", sent), 409, "uniqueness")


def test_a_user_who_is_deleted_here_stays_active_in_another_team(provider, provisioned):
    elsewhere = MembershipFactory(user=provisioned)
    assert_empty(provider.delete(user_path(provisioned)))
    provisioned.refresh_from_db()
    assert provisioned.status == "active"
    assert list(provisioned.memberships.all()) == [elsewhere]
    assert_refused(provider.get(user_path(provisioned)), 404)


# Administrators


@pytest.fixture
def administrator(scim_team):
    user = AdministratorFactory()
    MembershipFactory(user=user, team=scim_team)
    return user


def test_an_administrator_is_shown(provider, administrator):
    assert body_of(provider.get(user_path(administrator)))["userType"] == "Administrative"
    assert ids(provider.get("/Users")) == [str(administrator.pk)]


@pytest.mark.parametrize(**names([call for call in WRITING if "{user}" in call[1]]))
def test_an_administrator_is_not_changed(provider, administrator, method, path, body):
    before = row(administrator)
    if method == "PATCH":
        body = {**ACTIVATE, "Operations": [{"op": "replace", "path": "active", "value": False}]}
    assert_refused(provider(method, path.format(user=administrator.pk), body or b""), 403)
    assert row(administrator) == before
    assert administrator.memberships.exists()


@pytest.mark.parametrize("user_type", ["Administrative", "administrative", "Customer Care"])
def test_nobody_becomes_an_administrator(provider, provisioned, user_type):
    created = body_of(provider.post("/Users", {**BRUNO, "userType": user_type}), 201)
    assert created["userType"] == "Customer Care"
    sent = {**BRUNO, "userName": provisioned.login_id, "userType": user_type}
    sent["emails"] = [{"value": provisioned.email_id}]
    body_of(provider.put(user_path(provisioned), sent))
    provider.patch(
        user_path(provisioned), {"op": "replace", "path": "userType", "value": user_type}
    )
    provider.patch(user_path(provisioned), {"op": "replace", "value": {"userType": user_type}})
    assert {user.role_type for user in User.objects.all()} == {"Customer Care"}
    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.parametrize(
    "attribute", ["is_superuser", "is_staff", "role_type", "password", "groups", "memberships"]
)
def test_no_other_field_is_set_by_its_name(provider, provisioned, attribute):
    before = row(provisioned)
    for value in (True, "Administrative", [1], [{"value": "1"}]):
        provider.patch(user_path(provisioned), {"op": "replace", "value": {attribute: value}})
        provider.patch(user_path(provisioned), {"op": "add", "path": attribute, "value": value})
    assert row(provisioned) == before
    assert provisioned.memberships.count() == 1


def test_a_role_is_not_scims(provider, provisioned, team):
    entry = [{"value": str(provisioned.pk), "role": "Team Manager", "type": "User"}]
    provider.patch(group_path(team), {"op": "add", "path": "members", "value": entry})
    assert Membership.objects.get(team=team, user=provisioned).role == "Team Agent"


def test_a_group_that_another_token_is_granted_is_not_deleted(provider, scim_team):
    created = body_of(provider.post("/Groups", SALES), 201)
    team = Team.objects.get(pk=created["id"])
    issue_token(team)
    assert_refused(provider.delete(group_path(team)), 403)
    assert Team.objects.filter(pk=team.pk).exists()


def test_a_group_that_is_made_is_granted_to_its_token_alone(provider, scim_team):
    other = Provider(issue_token(scim_team=scim_team))
    created = body_of(provider.post("/Groups", SALES), 201)
    assert body_of(provider.get(f"/Groups/{created['id']}")) == created
    assert_refused(other.get(f"/Groups/{created['id']}"), 404)


def test_no_group_operation_hides_a_user(provider, team, scim_team):
    user = MembershipFactory(team=team).user
    remove = {"op": "remove", "path": f'members[value eq "{user.pk}"]'}
    assert_empty(provider.patch(group_path(team), remove))
    assert list(user.memberships.values_list("team", "role")) == [(scim_team.pk, "Team Agent")]
    assert body_of(provider.get(user_path(user)))["active"] is True
