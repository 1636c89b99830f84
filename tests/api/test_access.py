"""Who may update whom, and what two refusals have in common."""

import itertools
import json

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused
from tests.factories import MembershipFactory, TeamFactory, UserFactory, an_hour_ago, issue_token
from users import tokens

User = get_user_model()


CHANGE = {"first_name": "Bruno"}


SETS = ["", "a", "b", "ab"]  # of teams


def request_of(user_id, team_id, secret, **headers):
    return Client(raise_request_exception=False).patch(
        f"/api/users/{user_id}",
        json.dumps(CHANGE),
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "teamid": str(team_id)} | headers,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("granted", SETS, ids=lambda names: names or "none")
@pytest.mark.parametrize("named", ["a", "b"])
@pytest.mark.parametrize("member_of", SETS, ids=lambda names: names or "none")
def test_a_user_is_updated_only_by_a_grant_of_a_team_of_his_that_is_named(
    granted, named, member_of
):
    teams = {name: TeamFactory(name=name) for name in "ab"}
    user = UserFactory()
    for name in member_of:
        MembershipFactory(user=user, team=teams[name])
    issue_token(*teams.values())  # somebody else's, whose grants do not count
    secret = issue_token(*(teams[name] for name in granted))
    number = request_of(user.pk, teams[named].pk, secret).json()["status_code"]
    expected = 2010 if named not in granted else 3101 if named not in member_of else 4309
    assert number == expected
    assert (User.objects.get(pk=user.pk).first_name == "Bruno") == (expected == 4309)


def looks(response):
    headers = {name: value for name, value in response.headers.items() if name != "trxid"}
    return response.status_code, response.content, headers


@pytest.mark.django_db
def test_refusals_that_the_contract_makes_the_same_cannot_be_told_apart(user, team, token):
    other_team, stranger = TeamFactory(), MembershipFactory().user
    request_of(user.pk, team.pk, token)  # the use of the token is noted
    revoked = issue_token(team, revoked_at=an_hour_ago())
    revoked_and_expired = issue_token(team, revoked_at=an_hour_ago(), expires_at=an_hour_ago())
    groups = [
        [(user.pk, team_id, token) for team_id in (other_team.pk, 10**6, 0, "x", "9" * 40)],
        [(user_id, team.pk, token) for user_id in (stranger.pk, 10**6, 0, "x", "9" * 40)],
        [(user.pk, team.pk, s) for s in (tokens.new_token(), revoked, revoked_and_expired)],
    ]
    for group in groups:
        seen = []
        for request in group:
            with CaptureQueriesContext(connection) as queries:
                response = request_of(*request)
            seen.append((looks(response), len(queries)))
        assert all(one == other for one, other in itertools.pairwise(seen)), group


@pytest.mark.django_db
def test_a_token_in_the_url_lets_nobody_in(call, token):
    response = call(
        CHANGE, path=f"{call.path}?access_token={token}", headers={"Authorization": None}
    )
    assert_refused(response, 2002, {"Authorization": ["This header is required."]})
