"""The call as a whole: its answer, what it writes and what it costs."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused, assert_updated
from tests.database import data_statements
from tests.factories import (
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    issue_token,
)
from users.models import AttributeDefinition

User = get_user_model()


EVERYTHING = {
    "first_name": "Bruno",
    "last_name": "",
    "status": "active",
    "job_description": "Team lead",
    "login_using_email": True,
    "custom_attributes": {"business": "Banking"},
    "skill_attributes": {"chess": 4},
}
STATEMENTS = 3 if connection.vendor == "postgresql" else 4  # of an update


@pytest.fixture(params=["PATCH", "PUT"])
def method(request):
    return request.param


def test_the_answer_is_the_user_in_the_documented_order(call, user, business, method):
    response = call(EVERYTHING, method)
    user.refresh_from_db()
    assert response["Content-Type"] == "application/json"
    assert list(response.json()) == ["status_code", "description", "response"]
    assert list(response.json()["response"].items()) == [
        ("id", user.pk),
        ("created_at", user.created_at.isoformat().replace("+00:00", "Z")),
        ("updated_at", user.updated_at.isoformat().replace("+00:00", "Z")),
        ("first_name", "Bruno"),
        ("last_name", ""),
        ("login_id", user.login_id),
        ("email_id", user.email_id),
        ("status", "active"),
        ("logged_in", False),
        ("job_description", "Team lead"),
        ("login_using_email", True),
        ("role_type", "Customer Care"),
        ("accepting_chats", False),
        ("skill_attributes", {"chess": 4}),
        ("active_chats", 0),
        ("custom_attributes", {"business": "Banking"}),
    ]


def test_what_the_answer_says_is_stored(call, user, business, method):
    call(EVERYTHING, method)
    user.refresh_from_db()
    assert {name: getattr(user, name) for name in EVERYTHING} == EVERYTHING


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_parameter_left_out_stays_as_it_is(call, user, business, method, name):
    before = getattr(user, name)
    call({key: value for key, value in EVERYTHING.items() if key != name}, method)
    user.refresh_from_db()
    assert getattr(user, name) == before


def test_a_trailing_slash_is_the_same_call(call):
    assert_updated(call({"first_name": "Bruno"}, path=f"{call.path}/"), first_name="Bruno")


def test_an_update_moves_updated_at(call, user):
    call({"first_name": "Bruno"})
    assert User.objects.get(pk=user.pk).updated_at > user.updated_at


def test_a_request_that_changes_nothing_writes_nothing(call, user, token):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert_updated(call({"first_name": " Asha ", "skill_attributes": {"chess": 3.0}}))
    assert not [q for q in queries if 'UPDATE "users_user"' in q["sql"].replace("`", '"')]
    assert User.objects.get(pk=user.pk).updated_at == user.updated_at


def test_a_request_with_one_error_changes_nothing(call, user):
    call({"first_name": "Bruno", "status": "away"})
    assert User.objects.get(pk=user.pk).first_name == "Asha"


def test_a_number_and_a_boolean_are_not_the_same_value(call, user):
    assert_updated(call({"skill_attributes": {"chess": True}}), skill_attributes={"chess": True})


def test_an_update_costs_few_statements(call, business, method):
    call({"first_name": "Asha"})  # the note of the token's use is taken
    with CaptureQueriesContext(connection) as queries:
        assert_updated(call(EVERYTHING, method))
    # 1. the token, with the team that it is granted
    # 2. the user in the team, with whether logged in, and the definitions; the row is locked
    # 3. the update
    # 4. its line in the history, with the user's teams; on PostgreSQL with the update
    assert len(data_statements(queries)) == STATEMENTS, data_statements(queries)


def test_a_deactivation_costs_one_statement_more_that_ends_the_sessions(call):
    call({"first_name": "Asha"})
    with CaptureQueriesContext(connection) as queries:
        assert_updated(call({"status": "inactive"}))
    assert len(data_statements(queries)) == STATEMENTS + 1, data_statements(queries)


def test_the_cost_grows_with_nothing(call, user, team, business):
    for other_team in TeamFactory.create_batch(3):
        MembershipFactory(user=user, team=other_team)
        issue_token(other_team, team)
    for other in UserFactory.create_batch(3):
        MembershipFactory(user=other, team=team)
    AttributeDefinitionFactory.create_batch(3)
    call({"first_name": "Asha"})
    with CaptureQueriesContext(connection) as queries:
        assert_updated(call(EVERYTHING))
    assert len(data_statements(queries)) == STATEMENTS, data_statements(queries)


def test_a_changed_definition_holds_from_the_next_request_on(call, business):
    AttributeDefinition.objects.filter(pk=business.pk).update(choices=["Travel"])
    assert_refused(
        call({"custom_attributes": {"business": "Banking"}}),
        3107,
        {"custom_attributes": {"business": ["Must be one of: 'Travel'."]}},
    )
