"""The health check of a connection that another request left."""

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.backends.postgresql import base

from tests.server import database_url

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own"),
]


def test_a_connection_at_rest_is_usable_without_a_question(monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda self: pytest.fail("asked"))
    assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_not_usable():
    connection.ensure_connection()
    process = connection.connection.info.backend_pid
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
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
