"""What is unforeseen, and what the database refuses."""

import contextlib
import re

import pytest
from django.contrib.auth import get_user_model
from django.core.signals import got_request_exception
from django.db import Error, IntegrityError, OperationalError, connection, transaction
from django.db.models.signals import post_save

from tests.assertions import assert_refused, assert_updated
from tests.factories import TeamFactory

User = get_user_model()


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
    with connection.execute_wrapper(refuse(r'(WITH updated AS \()?UPDATE ["`]users_user["`]')):
        assert_refused(call({"first_name": "Bruno"}), 3104)
    assert User.objects.get(pk=user.pk).first_name == "Asha"


@pytest.mark.parametrize("table", ["users_user", "users_change"])
def test_a_bulk_update_that_the_database_refuses_is_undone_whole(call, user, table):
    items = [{"id": user.pk, "first_name": "Bruno"}, {"id": 0, "first_name": "B"}]
    with connection.execute_wrapper(refuse(rf'(UPDATE|INSERT INTO) ["`]{table}["`]')):
        assert_refused(call({"users": items}, path="/api/users"), 3104)
    assert User.objects.get(pk=user.pk).first_name == "Asha"


def test_a_creation_that_the_database_refuses_is_unforeseen_and_undone(call):
    body = {"first_name": "C", "login_id": "chloe", "email_id": "c@desk.example"}
    with connection.execute_wrapper(refuse(r'INSERT INTO ["`]users_membership["`]')):
        assert_refused(call(body, "POST", path="/api/users"), 2007)
    assert not User.objects.filter(login_id="chloe").exists()


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stores", [True, False])
def test_the_outcome_of_a_bulk_update_can_be_unknown_too(call, user, monkeypatch, stores):
    call({"first_name": "Asha"})
    break_in_the_commit(monkeypatch, stores)
    unknown = "The connection broke in the commit: it is unknown whether the update is stored."
    items = [{"id": user.pk, "first_name": "Bruno"}]
    assert_refused(call({"users": items}, path="/api/users"), 3104, {"body": [unknown]})
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

    done = []
    receive(lambda: transaction.on_commit(fail))
    receive(lambda: transaction.on_commit(lambda: done.append("what comes after it")))
    assert_updated(call({"first_name": "Bruno"}), first_name="Bruno")
    assert done
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
