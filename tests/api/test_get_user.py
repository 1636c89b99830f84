"""Getting one user, `GET /api/users/{id}`."""

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused
from tests.database import data_statements, store
from tests.factories import MembershipFactory, TeamFactory, UserFactory, issue_token


@pytest.fixture
def get(call):
    def ask(path=call.path, **request):
        return call(method="GET", path=path, **request)

    return ask


def test_the_answer_is_the_user_as_an_update_answers_it(call, get, user):
    updated = call({"first_name": "Bruno"})
    response = get()
    assert response.status_code == 200
    assert response.json() == {
        "status_code": 4306,
        "description": "The user details retrieved successfully",
        "response": updated.json()["response"],
    }
    assert list(response.json()["response"]) == list(updated.json()["response"])


def test_a_trailing_slash_is_the_same_call(call, get):
    assert get(path=f"{call.path}/").json() == get().json()


def test_neither_query_nor_body_is_looked_at(call, get):
    assert get(path=f"{call.path}?page=x", body=b"\xff").json() == get().json()


def test_head_answers_without_the_body(call, get):
    response = call(method="HEAD")
    assert (response.status_code, response.content) == (200, b"")
    assert response["ETag"] == get()["ETag"]
    assert call(method="HEAD", path="/api/users/0").status_code == 404


def test_logged_in_is_true_while_a_session_lets_in(get, user):
    browser = Client()
    browser.force_login(user, "users.backends.LoginBackend")
    assert get().json()["response"]["logged_in"] is True
    browser.logout()
    assert get().json()["response"]["logged_in"] is False


@pytest.mark.parametrize("identifier", ["0", "x", "%00", "9" * 5000, "%FF"])
def test_an_id_that_no_user_has_is_not_found(get, identifier):
    assert_refused(get(path=f"/api/users/{identifier}"), 3101)


def test_a_user_of_another_team_is_not_found(get):
    assert_refused(get(path=f"/api/users/{MembershipFactory().user.pk}"), 3101)


def test_it_costs_two_statements(call, get, user, team, business):
    for other_team in TeamFactory.create_batch(3):
        MembershipFactory(user=user, team=other_team)
        issue_token(other_team, team)
    MembershipFactory(user=UserFactory(), team=team)
    get()  # the note of the token's use is taken
    for path in (call.path, "/api/users/0"):
        with CaptureQueriesContext(connection) as queries:
            get(path=path)
        # 1. the token, with the team that it is granted
        # 2. the user in the team, with whether logged in
        assert len(data_statements(queries)) == 2, data_statements(queries)


def test_a_failing_database_is_said(get):
    def fail(execute, sql, params, many, context):
        if "users_membership" in sql:
            raise OperationalError("the disk is gone")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        assert_refused(get(), 3105)


def test_stored_values_of_any_kind_are_shown(get, user):
    odd = {"a": [1, {"b": None}], "": "\u2028", "big": 1e300}
    store(user, skill_attributes=odd)
    assert get().json()["response"]["skill_attributes"] == odd
