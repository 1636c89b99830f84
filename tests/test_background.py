"""Work that an answer does not wait for."""

import logging
import threading

import pytest
from django.db import connection

from users import background


@pytest.fixture
def done():
    """Wait for all calls before it."""

    def wait():
        event = threading.Event()
        background.run(event.set)
        assert event.wait(20)

    return wait


def test_calls_are_made_in_another_thread_in_their_order(done):
    calls = []
    for number in range(3):
        background.run(lambda n: calls.append((n, threading.current_thread())), number)
    done()
    assert [number for number, _thread in calls] == [0, 1, 2]
    assert threading.main_thread() not in {thread for _number, thread in calls}


def test_a_failure_is_logged_without_its_message_and_the_next_call_is_made(caplog, done):
    def fail(text):
        raise ValueError(text)

    background.run(fail, "asha@desk.example")
    done()
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().endswith("fail failed: ValueError")
    assert record.exc_info is None


@pytest.mark.django_db(transaction=True)
def test_no_connection_to_the_database_is_kept(done):
    connections = []

    def query():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connections.append(connection._connections[connection._alias])

    background.run(query)
    done()
    assert connections[0].connection is None


def test_calls_beyond_a_limit_are_left_out_and_logged(monkeypatch, caplog, done):
    monkeypatch.setattr(background, "_waiting", threading.BoundedSemaphore(2))
    go, calls = threading.Event(), []
    background.run(go.wait)
    background.run(calls.append, 1)
    background.run(calls.append, 2)
    go.set()
    assert "1000 calls wait" in caplog.messages[0]
    monkeypatch.undo()
    done()
    assert calls == [1]
