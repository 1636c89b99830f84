"""Who is let in: the access token and the team."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.assertions import assert_refused, assert_updated
from tests.factories import TeamFactory, an_hour_ago, issue_token
from users import tokens
from users.models import AccessToken

CHANGE = {"first_name": "Bruno"}
REQUIRED = ["This header is required."]


@pytest.mark.parametrize("nothing", [None, "", "   "])
@pytest.mark.parametrize(
    "names", [["Authorization"], ["teamid"], ["Authorization", "teamid"]], ids=" and ".join
)
def test_each_missing_header_is_named(call, names, nothing):
    response = call(CHANGE, headers=dict.fromkeys(names, nothing))
    assert_refused(response, 2002, dict.fromkeys(names, REQUIRED))


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "{token}",
        "Bearer {token}x",
        "Bearer {token}\x00",
        "Bearer x{token}",
        "Bearer {token}, Bearer {token}",
        "Bearer\t{token}",
        "Bearer é",
        "Bearer " + "x" * 10_000,
    ],
)
def test_a_malformed_token_is_invalid(call, token, authorization):
    response = call(CHANGE, headers={"Authorization": authorization.format(token=token)})
    assert_refused(response, 2003)


@pytest.mark.parametrize("scheme", ["Basic", "Token", "ApiKey-v1", "Bearer2"])
def test_another_scheme_is_named(call, token, scheme):
    response = call(CHANGE, headers={"Authorization": f"{scheme} {token}"})
    error = f"Must be 'Bearer <access token>', and has the scheme '{scheme}'."
    assert_refused(response, 2003, {"Authorization": [error]})


def test_an_unknown_token_is_invalid(call):
    response = call(CHANGE, headers={"Authorization": f"Bearer {tokens.new_token()}"})
    assert_refused(response, 2003)
    assert "WWW-Authenticate" not in response


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_name_of_the_scheme_is_case_insensitive(call, token, scheme):
    assert_updated(call(CHANGE, headers={"Authorization": f"{scheme} {token}"}))


def test_an_expired_token_gets_a_challenge(call, team):
    secret = issue_token(team, expires_at=an_hour_ago())
    response = call(CHANGE, headers={"Authorization": f"Bearer {secret}"})
    assert_refused(response, 2004)
    challenge = 'Bearer error="invalid_token", error_description="Access Token expired"'
    assert response["WWW-Authenticate"] == challenge


def test_a_token_is_good_until_it_expires(call, team):
    secret = issue_token(team, expires_at=timezone.now() + timedelta(hours=1))
    assert_updated(call(CHANGE, headers={"Authorization": f"Bearer {secret}"}))


@pytest.mark.parametrize("expires_at", [None, an_hour_ago()])
def test_a_revoked_token_is_invalid_expired_or_not(call, team, expires_at):
    secret = issue_token(team, revoked_at=timezone.now(), expires_at=expires_at)
    response = call(CHANGE, headers={"Authorization": f"Bearer {secret}"})
    assert_refused(response, 2003)


NOT_GRANTED = {
    "teamid": ["Must be the id of a team that the access token is granted: an unsigned integer."]
}


@pytest.mark.parametrize(
    "teamid",
    ["0", "-1", "+1", " 1 2", "1.0", "1e0", "one", "٣", "é", "9" * 18, "9" * 19, "9" * 5000, "1,1"],
)
def test_a_team_that_is_not_there_is_not_found(call, teamid):
    assert_refused(call(CHANGE, headers={"teamid": teamid}), 2010, NOT_GRANTED)


def test_a_team_that_the_token_is_not_granted_is_not_found(call):
    assert_refused(call(CHANGE, headers={"teamid": str(TeamFactory().pk)}), 2010, NOT_GRANTED)


def test_a_team_id_may_have_leading_zeros(call, team):
    assert_updated(call(CHANGE, headers={"teamid": f"000{team.pk}"}))


def test_a_token_serves_each_team_that_it_is_granted(call, team):
    secret = issue_token(TeamFactory(), team, TeamFactory())
    assert_updated(call(CHANGE, headers={"Authorization": f"Bearer {secret}"}))


def test_the_use_of_a_token_is_noted(call):
    call(CHANGE)
    assert timezone.now() - AccessToken.objects.get().last_used_at < timedelta(minutes=1)


def test_the_use_of_a_token_is_noted_once_a_minute(call):
    half_a_minute_ago = timezone.now() - timedelta(seconds=30)
    AccessToken.objects.update(last_used_at=half_a_minute_ago)
    call(CHANGE)
    assert AccessToken.objects.get().last_used_at == half_a_minute_ago


def test_a_token_that_is_not_let_in_is_not_noted(call, team):
    AccessToken.objects.update(expires_at=an_hour_ago())
    call(CHANGE)
    assert AccessToken.objects.get().last_used_at is None


def test_a_use_that_cannot_be_noted_keeps_nobody_out(call):
    def refuse(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "users_accesstoken" in sql:
            raise OperationalError("the disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert_updated(call(CHANGE))
    assert AccessToken.objects.get().last_used_at is None


def test_a_token_is_stored_as_its_digest_alone(token):
    stored = AccessToken.objects.values().get()
    assert stored["digest"] == tokens.digest(token)
    assert token not in str(stored)
