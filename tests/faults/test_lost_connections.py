"""A connection that the database server ends."""

import pytest
from django.db import connection

from tests.requirements import on_postgresql
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


@on_postgresql
def test_a_dropped_connection_costs_nobody_an_error(tmp_path, call):
    headers = {**call.headers, "Content-Type": "application/json"}
    with Server(tmp_path / "server.log") as server:
        for n in range(20):
            server.call(call.path, {"first_name": f"a{n}"}, headers)
        for n in range(5):
            with connection.cursor() as cursor:
                cursor.execute(
                    # Until it has ended: one that ends while a call uses it is that call's error.
                    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                    " WHERE pid != pg_backend_pid() AND datname = current_database()"
                )
                assert cursor.fetchone()[0] >= 1
            for m in range(10):
                _, envelope = server.call(call.path, {"first_name": f"b{n}{m}"}, headers)
                assert envelope["status_code"] == 4309
