"""Calls whose database connection is lost, or whose transaction is rolled back for others."""

import time
from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.db import NotSupportedError, OperationalError, connection

from tests.assertions import assert_refused, assert_updated
from tests.requirements import on_postgresql, on_server
from tests.server import database_url
from users.api.views import base
from users.models import AccessToken, Change

pytestmark = [pytest.mark.django_db(transaction=True), on_server]

User = get_user_model()

BODIES = {
    "update": ("PATCH", "{user}", {"first_name": "Zoë"}),
    "replace": ("PUT", "{user}", {"skill_attributes": {"go": 1}}),
    "bulk update": ("PATCH", "/api/users", {"users": [{"login_id": "asha", "first_name": "Zoë"}]}),
    "create": (
        "POST",
        "/api/users",
        {"first_name": "Mia", "login_id": "mia", "email_id": "mia@desk.example"},
    ),
    "get": ("GET", "{user}", b""),
    "list": ("GET", "/api/users", b""),
    "search": ("POST", "/api/users/search", {"first_name": {}}),
    "history": ("GET", "{user}/history", b""),
    "changes": ("GET", "/api/changes", b""),
}


@pytest.fixture
def make(call, user):
    """Make one of the calls by its name."""
    User.objects.filter(pk=user.pk).update(login_id="asha", login_key="asha")
    BODIES["search"][2].clear()
    call({"first_name": "Asha"})  # which notes the token's use

    def make(name):
        method, path, body = BODIES[name]
        return call(body, method, path=path.format(user=call.path))

    yield make
    connection.close()  # which may be lost


def end_connection():
    """End the connection from the server's side, as a server that stops does."""
    if connection.vendor == "postgresql":
        import psycopg

        process = connection.connection.info.backend_pid
        with psycopg.connect(database_url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    else:
        other = connection.copy()
        with other.cursor() as cursor:
            thread = connection.connection.thread_id()
            cursor.execute("KILL %s", [thread])
            is_there = "SELECT 1 FROM information_schema.processlist WHERE id = %s"
            ends = time.monotonic() + 10
            while cursor.execute(is_there, [thread]) and time.monotonic() < ends:
                cursor.fetchall()
        other.close()


class Statements:
    """Counts the statements of calls, and does something before some of them, or before all."""

    def __init__(self, numbers=None, action=None):
        self.numbers, self.action, self.count = numbers, action, 0

    def __call__(self, execute, *args):
        self.count += 1
        if self.action and (self.numbers is None or self.count in self.numbers):
            self.action()
        return execute(*args)


@contextmanager
def statements(numbers=None, action=None):
    with connection.execute_wrapper(found := Statements(numbers, action)):
        yield found


def lines():
    return Change.objects.count()


@pytest.mark.parametrize("name", BODIES)
def test_a_connection_lost_before_any_statement_costs_no_error(make, name):
    with statements() as alone:
        expected = make(name).json()["status_code"]
    for number in range(1, alone.count + 1):
        connection.close()
        User.objects.filter(login_id="mia").delete()
        User.objects.update(first_name="Asha", skill_attributes={})
        before = lines()
        with statements([number], end_connection):
            assert make(name).json()["status_code"] == expected
        assert lines() == before + (name in ("update", "replace", "bulk update", "create"))


def deadlock():
    if connection.vendor == "mysql":
        raise OperationalError(1213, "Deadlock found when trying to get lock")
    from psycopg import errors

    raise OperationalError from errors.DeadlockDetected()


@pytest.mark.parametrize("name", ["update", "bulk update", "create"])
def test_a_deadlock_costs_no_error_and_stores_once(make, name):
    with statements() as alone:
        expected = make(name).json()["status_code"]
    User.objects.filter(login_id="mia").delete()
    User.objects.update(first_name="Asha")
    before = lines()
    with statements([alone.count], deadlock):  # in the write
        assert make(name).json()["status_code"] == expected
    assert lines() == before + 1


@on_postgresql
def test_a_serialization_failure_costs_no_error(make):
    from psycopg import errors

    def refuse():
        raise OperationalError from errors.SerializationFailure()

    with statements([2], refuse):
        assert_updated(make("update"))


@on_postgresql
def test_a_statement_prepared_before_its_table_was_altered_costs_no_error(make):
    from psycopg import errors

    def refuse():
        raise NotSupportedError from errors.FeatureNotSupported()

    with statements([3], refuse):
        assert_updated(make("update"))


def test_a_call_is_tried_again_once(make):
    with statements(action=end_connection) as tried:
        assert_refused(make("update"), 2007)
    assert tried.count == 2


def test_a_call_that_fails_again_before_its_caller_is_known_is_answered(make):
    with statements(range(2, 100), end_connection):  # after the token, and when it is read again
        assert_refused(make("update"), 2007)


def test_a_call_that_waited_long_is_not_tried_again(make, monkeypatch):
    monkeypatch.setattr(base, "TRIED_AGAIN_WITHIN", 0)
    with statements([1], end_connection):
        assert_refused(make("update"), 2007)


def test_another_error_of_the_database_is_not_tried_again(make):
    def refuse():
        raise OperationalError("the disk is full")

    with statements([1], refuse) as tried:
        assert_refused(make("update"), 2007)
    assert tried.count == 1


def test_a_call_that_is_tried_again_counts_once_for_the_rate_limit(make):
    AccessToken.objects.update(rate_limit=1000)
    before = int(make("get").headers["Rate-Limit-Remaining"])
    with statements([2], end_connection):  # after the token was read
        answer = make("get")
    assert (answer.status_code, int(answer.headers["Rate-Limit-Remaining"])) == (200, before - 1)
