"""The project's PostgreSQL backend: its health check, and its way to libpq."""

import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import (
    DataError,
    Error,
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.backends.postgresql import base

from tests.assertions import assert_updated
from tests.factories import MembershipFactory, TeamFactory
from tests.proxy import Proxy
from tests.server import database_url
from users.db.postgresql.base import DatabaseWrapper
from users.models import Membership, Team

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own"),
]


def end_by_the_server():
    process = connection.connection.info.backend_pid
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


def test_a_connection_at_rest_is_usable_without_a_question(monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda self: pytest.fail("asked"))
    assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_not_usable():
    connection.ensure_connection()
    end_by_the_server()
    assert not connection.is_usable()
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert not connection.is_usable()  # nor once the driver knows
    connection.close()


def test_a_connection_on_which_something_arrived_is_asked():
    connection.ensure_connection()
    connection.connection.execute("LISTEN something")
    connection.connection.execute("NOTIFY something")
    assert connection.is_usable()


@pytest.fixture
def prepared():
    """A cursor as `users.db.compiled` has it, for statements that run again and again."""
    connection.ensure_connection()
    return connection._prepare_cursor(connection.create_prepared_cursor())


def run(cursor, sql, *values):
    cursor.execute(sql, values)
    return cursor.fetchall()


def prepared_statements():
    return connection.connection.execute("SELECT statement FROM pg_prepared_statements").fetchall()


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("bigint", [1, -1, 70_000, 2**63 - 1, None]),
        ("text", ["", "O'Hara", "%s", "$1", "अस्मि 🙂", "a" * 100_000, None]),
        ("boolean", [True, False, None]),
        ("timestamptz", [datetime(2026, 11, 24, 12, tzinfo=UTC), None]),
        ("double precision", [0.1, -1e300, None]),
    ],
)
def test_a_prepared_cursor_returns_what_the_drivers_own_does(prepared, type_, values):
    sql = f"SELECT %s::{type_}, '100%%'"
    with connection.cursor() as own:
        for value in values * 2:
            assert run(prepared, sql, value) == run(own, sql, value) == [(value, "100%")]


def test_a_prepared_cursor_knows_how_many_rows_it_changed(prepared):
    teams = [TeamFactory(name="old 1"), TeamFactory(name="old 2"), TeamFactory(name="other")]
    prepared.execute(
        "UPDATE users_team SET name = %s || name WHERE name LIKE %s", ["very ", "old%"]
    )
    assert prepared.rowcount == 2
    for team in teams:
        team.refresh_from_db()
    assert [team.name for team in teams] == ["very old 1", "very old 2", "other"]


def test_a_statement_is_prepared_once(prepared):
    before = len(prepared_statements())
    for name in ("a", "b", "c"):
        run(prepared, "SELECT id FROM users_team WHERE name = %s", name)
    assert len(prepared_statements()) == before + 1


@pytest.mark.django_db(transaction=True)
def test_the_calls_statements_are_prepared_once_whatever_is_refused(call):
    connection.close()
    for level in range(10):
        assert call({"skill_attributes": {"level": level}}).json()["status_code"] == 4309
        assert call({"skill_attributes": {"level": {}}}).json()["status_code"] == 3115
    # the token, the user, and the update with its line in the history
    assert len(prepared_statements()) == 3


@pytest.mark.django_db(transaction=True)
def test_what_a_prepared_cursor_writes_is_undone_with_its_transaction(prepared):
    with transaction.atomic():
        prepared.execute("INSERT INTO users_team (name, name_key) VALUES (%s, %s)", ["new", "new"])
        transaction.set_rollback(True)
    assert not Team.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_prepared_cursor_writes_is_committed_with_its_transaction(prepared):
    with transaction.atomic():
        prepared.execute("INSERT INTO users_team (name, name_key) VALUES (%s, %s)", ["new", "new"])
    connection.close()
    assert Team.objects.get().name == "new"


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_the_server_refuses_raises_what_is_wrong():
    member = MembershipFactory()
    with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic():
        Membership.objects.filter(pk=member.pk).update(team=0)  # judged at the commit
    member.refresh_from_db()
    assert member.team_id


@pytest.mark.django_db(transaction=True)
def test_a_transaction_without_a_statement_asks_the_server_nothing():
    warnings = []  # the server's, such as of a commit outside a transaction
    connection.ensure_connection()
    connection.connection.add_notice_handler(warnings.append)
    with transaction.atomic():
        pass
    assert not warnings


@pytest.mark.django_db(transaction=True)
def test_a_transaction_has_the_isolation_level_of_the_settings(monkeypatch):
    connection.close()
    level = psycopg.IsolationLevel.SERIALIZABLE
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "isolation_level", level)
    connection.ensure_connection()
    with transaction.atomic():
        cursor = connection._prepare_cursor(connection.create_prepared_cursor())
        assert run(cursor, "SELECT current_setting(%s)", "transaction_isolation") == [
            ("serializable",)
        ]
    connection.close()


def test_what_the_server_refuses_is_djangos_error(prepared):
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        prepared.execute("SELECT 1 / %s::int", [0])
    assert run(prepared, "SELECT 1 / %s::int", 1) == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_lost_is_an_operational_error(prepared):
    end_by_the_server()
    for _ in range(2):  # as the server says it, and when the driver knows
        with pytest.raises(OperationalError):
            prepared.execute("SELECT %s::int", [1])
    connection.close()


CHANGED = ["ALTER TABLE users_team ALTER name TYPE varchar(200)", "DEALLOCATE ALL"]


@pytest.fixture
def statement(prepared):
    """A statement that was prepared in this connection."""
    TeamFactory(name="old")
    sql = "SELECT name FROM users_team WHERE name = %s"
    run(prepared, sql, "old")
    yield sql
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE users_team ALTER name TYPE varchar(150)")


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.django_db(transaction=True)
def test_a_statement_that_the_server_cannot_run_any_more_is_prepared_anew(
    prepared, statement, change
):
    connection.connection.execute(change)
    assert run(prepared, statement, "old") == [("old",)]
    connection.connection.execute(change)
    with transaction.atomic():
        assert run(prepared, statement, "old") == [("old",)]
        prepared.execute("UPDATE users_team SET name = %s", ["new"])
    assert Team.objects.get().name == "new"


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.django_db(transaction=True)
def test_a_statement_is_not_run_again_where_its_transaction_would_lose_something(
    prepared, statement, change
):
    connection.connection.execute(change)
    with transaction.atomic():
        prepared.execute("UPDATE users_team SET name = %s", ["new"])
        with pytest.raises(Error):
            run(prepared, statement, "new")
        transaction.set_rollback(True)
    assert run(prepared, statement, "old") == [("old",)]


@pytest.mark.parametrize(
    "change", ["ALTER TABLE users_user ALTER job_description TYPE varchar(300)", "DEALLOCATE ALL"]
)
@pytest.mark.django_db(transaction=True)
def test_a_table_that_changes_under_running_workers_costs_no_call(call, change):
    call({"job_description": "Agent"})
    try:
        connection.connection.execute(change)
        assert_updated(call({"job_description": "Team lead"}))
    finally:
        connection.connection.execute(
            "ALTER TABLE users_user ALTER job_description TYPE varchar(255)"
        )


# A server that froze: it acknowledges what TCP sends to it, and answers nothing.


@pytest.fixture
def proxy():
    with Proxy(connection.settings_dict["HOST"], connection.settings_dict["PORT"]) as proxy:
        yield proxy


@pytest.fixture
def proxied(proxy):
    """A connection as the settings have it, which waits for the server for half a second."""
    settings = connection.settings_dict
    wrapper = DatabaseWrapper(
        {
            **settings,
            "HOST": "127.0.0.1",
            "PORT": proxy.port,
            "OPTIONS": {**settings["OPTIONS"], "max_wait": 0.5, "connect_timeout": 2},
        },
        "default",
    )
    wrapper.ensure_connection()
    yield wrapper
    proxy.thaw()
    wrapper.close()


def prepared_statement(wrapper, value=1):
    wrapper.ensure_connection()
    cursor = wrapper._prepare_cursor(wrapper.create_prepared_cursor())
    return run(cursor, "SELECT %s::text", value)


def ordinary_statement(wrapper, value=1):
    with wrapper.cursor() as cursor:
        return run(cursor, "SELECT %s::text", value)


@pytest.mark.parametrize(
    "wait",
    [
        prepared_statement,
        ordinary_statement,
        lambda wrapper: prepared_statement(wrapper, "a" * 20_000_000),
        lambda wrapper: ordinary_statement(wrapper, "a" * 20_000_000),
    ],
    ids=["prepared", "ordinary", "long and prepared", "long and ordinary"],
)
@pytest.mark.parametrize("autocommit", [True, False])
def test_no_statement_waits_for_ever(proxy, proxied, wait, autocommit):
    proxied.set_autocommit(autocommit)
    proxy.freeze()
    with pytest.raises(OperationalError, match="has not answered"):
        wait(proxied)
    assert not proxied.is_usable()
    proxied.close()
    proxy.thaw()
    assert prepared_statement(proxied) == ordinary_statement(proxied) == [("1",)]


@pytest.mark.parametrize("end", ["commit", "rollback", "savepoint"])
def test_no_end_of_a_transaction_waits_for_ever(proxy, proxied, end):
    proxied.set_autocommit(False)
    prepared_statement(proxied)
    proxy.freeze()
    with pytest.raises(OperationalError, match="has not answered"):
        getattr(proxied, end)()
    proxied.close()


@pytest.mark.parametrize("error", [None, ValueError], ids=["commit", "rollback"])
def test_a_transaction_that_lost_its_connection_waits_for_no_other(proxy, proxied, error):
    def freeze_in_transaction():
        with transaction.atomic(using="proxied"):
            prepared_statement(proxied)
            proxy.freeze()
            if error:
                raise error

    connections["proxied"] = proxied
    made = proxy.connections
    with pytest.raises(error or OperationalError):
        freeze_in_transaction()
    del connections["proxied"]
    assert proxy.connections == made
    proxy.thaw()
    assert prepared_statement(proxied) == [("1",)]


def test_no_fetching_of_more_rows_waits_for_ever(proxy, proxied):
    with proxied.chunked_cursor() as cursor:
        cursor.execute("SELECT generate_series(1, 9)")
        proxy.freeze()
        with pytest.raises(OperationalError, match="has not answered"):
            cursor.fetchmany(2)


@pytest.mark.django_db(transaction=True)
def test_no_question_whether_a_connection_stands_waits_as_long_as_a_call(
    proxy, proxied, monkeypatch
):
    monkeypatch.setattr("users.db.postgresql.base.PROBE_WAIT", 0.5)
    proxied.connection.max_wait = None
    proxied.connection.execute("LISTEN something")
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY something")
    while not proxied.connection.something_arrived():
        time.sleep(0.01)
    proxy.freeze()
    assert not proxied.is_usable()


def test_no_connecting_waits_for_ever(proxy, proxied):
    proxied.close()
    proxy.freeze()
    with pytest.raises(OperationalError):
        proxied.ensure_connection()


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_is_not_answered_is_not_cancelled(proxy, proxied):
    proxied.set_autocommit(False)
    cursor = proxied._prepare_cursor(proxied.create_prepared_cursor())
    cursor.execute("INSERT INTO users_team (name, name_key) VALUES (%s, %s)", ["new", "new"])
    made = proxy.connections
    proxy.freeze_after(b"COMMIT")
    with pytest.raises(OperationalError):
        proxied.commit()
    proxy.thaw()
    assert Team.objects.get().name == "new"  # the server did it
    assert proxy.connections == made  # a cancel request is a connection of its own


def test_a_wait_without_a_limit_lasts_as_long_as_the_server_needs(proxy, proxied):
    proxied.close()
    proxied.settings_dict["OPTIONS"]["max_wait"] = None
    proxied.ensure_connection()
    for statement in (prepared_statement, ordinary_statement):
        proxy.freeze()
        threading.Timer(0.7, proxy.thaw).start()
        assert statement(proxied) == [("1",)]
