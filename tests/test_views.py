"""The call as a whole: its answer, its stages in order, what it writes and what it costs."""

import contextlib
import itertools
import re

import pytest
from django.contrib.auth import get_user_model
from django.core.signals import got_request_exception
from django.db import Error, IntegrityError, OperationalError, connection, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused, assert_updated
from tests.factories import (
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    an_hour_ago,
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


# The stages, each with a request that does not pass it, in the contract's order. Two faults at once
# are answered as the earlier.


def expired(call, team):
    return {"headers": {"Authorization": f"Bearer {issue_token(team, expires_at=an_hour_ago())}"}}


FAULTS = {
    2002: lambda call, team: {"headers": {"Authorization": None}},
    2003: lambda call, team: {"headers": {"Authorization": "Bearer unknown"}},
    2004: expired,
    2010: lambda call, team: {"headers": {"teamid": str(TeamFactory().pk)}},
    2099: lambda call, team: {"method": "POST"},
    3101: lambda call, team: {"path": "/api/users/0"},
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


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_refused_with_the_allowed_ones(call, method):
    response = call({"first_name": "Bruno"}, method)
    assert response.status_code == 405
    assert response["Allow"] == "PATCH, PUT"
    if method != "HEAD":
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


@pytest.mark.parametrize("path", ["/api/", "/api/users", "/api/users/", "/api/users/1/2", "/api/x"])
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


# What is unforeseen, and what the database refuses.


def fail_after_saving(**kwargs):
    raise RuntimeError("the host's own receiver failed")


@pytest.fixture
def failing_receiver():
    post_save.connect(fail_after_saving, sender=User)
    yield
    post_save.disconnect(fail_after_saving, sender=User)


def test_the_unforeseen_is_undone_and_says_nothing_of_its_cause(call, user, failing_receiver):
    assert_refused(call({"first_name": "Bruno"}), 2007)
    assert User.objects.get(pk=user.pk).first_name == "Asha"


def test_the_unforeseen_is_logged_with_its_traceback(call, failing_receiver, caplog):
    call({"first_name": "Bruno"})
    [record] = [record for record in caplog.records if record.name == "users.api.envelope"]
    assert "the host's own receiver failed" in str(record.exc_info[1])


def test_the_unforeseen_is_signalled(call, failing_receiver):
    signals = []

    def receiver(request, **kwargs):
        signals.append(request.path)

    got_request_exception.connect(receiver)
    call({"first_name": "Bruno"})
    got_request_exception.disconnect(receiver)
    assert signals == [call.path]


def refuse(statement):
    """Return an execute wrapper for which the database refuses `statement`."""

    def wrapper(execute, sql, params, many, context):
        if re.match(statement, sql):
            raise OperationalError("the disk is full")
        return execute(sql, params, many, context)

    return wrapper


def test_a_write_that_the_database_refuses_is_a_failed_update(call, user):
    with connection.execute_wrapper(refuse(r'UPDATE ["`]users_user["`]')):
        assert_refused(call({"first_name": "Bruno"}), 3104)
    assert User.objects.get(pk=user.pk).first_name == "Asha"


def test_a_read_that_the_database_refuses_is_no_failed_update(call):
    with connection.execute_wrapper(refuse(r'SELECT .*["`]users_user["`]')):
        assert_refused(call({"first_name": "Bruno"}), 2007)


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_the_database_refuses_is_a_failed_update(call, user, monkeypatch):
    def commit():
        raise IntegrityError("a deferred constraint")

    call({"first_name": "Asha"})  # the note of the token's use is taken
    monkeypatch.setattr(connection, "_commit", commit)
    assert_refused(call({"first_name": "Bruno"}), 3104)
    monkeypatch.undo()
    assert User.objects.get(pk=user.pk).first_name == "Asha"


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_fails_with_nothing_written_is_no_failed_update(call, monkeypatch):
    def commit():
        raise OperationalError("the connection is gone")

    call({"first_name": "Asha"})
    monkeypatch.setattr(connection, "_commit", commit)
    assert_refused(call({"first_name": "Asha"}), 2007)


def break_in_the_commit(monkeypatch, stores):
    """Have the connection break in the next commit, which stores its transaction or not."""

    def commit():
        if stores:
            connection.connection.commit()
        monkeypatch.undo()
        connection.connection.close()
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(connection, "_commit", commit)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stores", [True, False])
def test_a_connection_that_breaks_in_the_commit_leaves_the_outcome_unknown(
    call, user, monkeypatch, stores
):
    call({"first_name": "Asha"})
    break_in_the_commit(monkeypatch, stores)
    unknown = "The connection broke in the commit: it is unknown whether the update is stored."
    assert_refused(call({"first_name": "Bruno"}), 3104, {"body": [unknown]})
    assert User.objects.get(pk=user.pk).first_name == ("Bruno" if stores else "Asha")


@pytest.fixture
def receive():
    """Connect a receiver of the signal that a user was saved."""
    receivers = []

    def connect(function):
        def receiver(**kwargs):
            function()

        receivers.append(receiver)
        post_save.connect(receiver, sender=User)

    yield connect
    for receiver in receivers:
        post_save.disconnect(receiver, sender=User)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [RuntimeError("mail"), OperationalError("another database")])
def test_what_fails_after_the_commit_is_logged_and_the_update_stands(
    call, user, receive, caplog, error
):
    def fail():
        raise error

    receive(lambda: transaction.on_commit(fail))
    assert_updated(call({"first_name": "Bruno"}), first_name="Bruno")
    assert User.objects.get(pk=user.pk).first_name == "Bruno"
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info[1] is error


def fail_in_sql():
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")


def fail_in_a_save():
    TeamFactory().save(force_insert=True)


def close_the_connection():
    connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fail", [fail_in_sql, fail_in_a_save, close_the_connection])
def test_an_error_that_a_receiver_swallows_is_no_success_unless_it_is_stored(
    call, user, receive, fail
):
    def fail_in_silence():
        with contextlib.suppress(Error):
            fail()

    call({"first_name": "Asha"})
    receive(fail_in_silence)
    response = call({"first_name": "Bruno"})
    stored = User.objects.get(pk=user.pk).first_name == "Bruno"
    if stored:
        assert_updated(response)
    else:
        assert_refused(response, 3104)
    # PostgreSQL takes back all of it; the others, the statement.
    assert stored == (fail is fail_in_sql and connection.vendor != "postgresql")


# What it costs.


def data_statements(queries):
    own = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
    return [query["sql"] for query in queries if not own.match(query["sql"])]


def test_an_update_costs_three_statements(call, business, method):
    call({"first_name": "Asha"})  # the note of the token's use is taken
    with CaptureQueriesContext(connection) as queries:
        assert_updated(call(EVERYTHING, method))
    # 1. the token, with the team that it is granted
    # 2. the user in the team, with whether logged in, and the definitions; the row is locked
    # 3. the update
    assert len(data_statements(queries)) == 3, data_statements(queries)


def test_a_deactivation_costs_one_statement_more_that_ends_the_sessions(call):
    call({"first_name": "Asha"})
    with CaptureQueriesContext(connection) as queries:
        assert_updated(call({"status": "inactive"}))
    assert len(data_statements(queries)) == 4, data_statements(queries)


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
    assert len(data_statements(queries)) == 3, data_statements(queries)


def test_a_changed_definition_holds_from_the_next_request_on(call, business):
    AttributeDefinition.objects.filter(pk=business.pk).update(choices=["Travel"])
    assert_refused(
        call({"custom_attributes": {"business": "Banking"}}),
        3107,
        {"custom_attributes": {"business": ["Must be one of: 'Travel'."]}},
    )
