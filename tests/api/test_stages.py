"""The stages of a call in their order, each with a request that does not pass it."""

import itertools

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused, assert_updated
from tests.database import data_statements
from tests.factories import MembershipFactory, TeamFactory, an_hour_ago, issue_token
from users.models import AccessToken


def expired(call, team):
    return {"headers": {"Authorization": f"Bearer {issue_token(team, expires_at=an_hour_ago())}"}}


def read_only(call, team):
    AccessToken.objects.update(read_only=True)
    return {}


def used_up(call, team):
    AccessToken.objects.update(rate_limit=0)
    return {}


FAULTS = {
    2002: lambda call, team: {"headers": {"Authorization": None}},
    2003: lambda call, team: {"headers": {"Authorization": "Bearer unknown"}},
    2004: expired,
    9429: used_up,
    2010: lambda call, team: {"headers": {"teamid": str(TeamFactory().pk)}},
    2099: lambda call, team: {"method": "POST"},
    9403: read_only,
    3101: lambda call, team: {"path": "/api/users/0"},
    9412: lambda call, team: {"headers": {"If-Match": '"another"'}},
    3114: lambda call, team: {"body": {}},
    3115: lambda call, team: {"body": {"status": "away"}},
    3107: lambda call, team: {"body": {"custom_attributes": {"business": 1}}},
    3110: lambda call, team: {"body": {"custom_attributes": {"location": 1}}},
}


STAGE_OF_BODY = {3114, 3115, 3107, 3110}


STAGE_OF_TOKEN = {2002, 2003, 2004}


def envelope_code(response):
    return response.json()["status_code"]


@pytest.mark.parametrize("number", FAULTS)
def test_each_fault_has_its_code(call, team, business, location, number):
    request = {"body": {"first_name": "Bruno"}, **FAULTS[number](call, team)}
    response = call(**request)
    assert_refused(response, number, response.json()["response"].get("errors"))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (earlier, later)
        for earlier, later in itertools.combinations(FAULTS, 2)
        if not {earlier, later} <= STAGE_OF_BODY and not {earlier, later} <= STAGE_OF_TOKEN
    ],
)
def test_of_two_faults_the_earlier_stage_answers(call, team, business, location, earlier, later):
    one, other = FAULTS[earlier](call, team), FAULTS[later](call, team)
    headers = {**one.pop("headers", {}), **other.pop("headers", {})}
    request = {"body": {"first_name": "Bruno"}, **one, **other, "headers": headers}
    assert envelope_code(call(**request)) == earlier


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_refused_with_the_allowed_ones(call, method):
    response = call({"first_name": "Bruno"}, method)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, PATCH, PUT"
    assert_refused(response, 2099)


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "BREW"])
def test_another_method_is_no_way_round_authentication(call, method):
    response = call(method=method, headers={"Authorization": None})
    assert envelope_code(response) == 2002


@pytest.mark.parametrize(
    "identifier",
    [
        "0",
        "-1",
        "+1",
        "1.0",
        "x",
        "٣",
        "%00",
        "%0A1",
        "1%0A",
        "9" * 18,
        "9" * 19,
        "9" * 5000,
        "%FF",
    ],
)
def test_an_id_that_no_user_has_is_not_found(call, identifier):
    response = call({"first_name": "Bruno"}, path=f"/api/users/{identifier}")
    assert_refused(response, 3101)


def test_a_user_of_another_team_is_not_found(call):
    stranger = MembershipFactory().user
    response = call({"first_name": "Bruno"}, path=f"/api/users/{stranger.pk}")
    assert_refused(response, 3101)


def test_who_may_not_be_updated_costs_the_same_queries_as_who_is_not_there(call):
    stranger = MembershipFactory().user
    costs = []
    for identifier in (stranger.pk, stranger.pk + 1000, "no-number", "9" * 30):
        with CaptureQueriesContext(connection) as queries:
            call({"first_name": "Bruno"}, path=f"/api/users/{identifier}")
        costs.append(len(data_statements(queries)))
    # The first call also notes the use of the token. Whoever is not found might have been locked.
    look_ups = 1 + connection.features.has_select_for_update_skip_locked
    assert costs == [2 + look_ups, *[1 + look_ups] * 3]


@pytest.mark.parametrize("path", ["/api/", "/api/users/1/2", "/api/x"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_elsewhere_below_api_nothing_is_found(call, path, method):
    response = call({"first_name": "Bruno"}, method, path=path)
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", ""])
def test_the_answer_is_json_whatever_is_asked_for(call, accept):
    response = call(
        {"first_name": "Bruno"}, path=f"{call.path}?format=api", headers={"Accept": accept}
    )
    assert_updated(response)
