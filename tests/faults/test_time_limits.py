"""How long a request and a command may wait for the database."""

import json
import os
import secrets
import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from tests.requirements import on_postgresql, on_server
from tests.server import PROJECT, Server, database_url

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


@on_postgresql
def test_a_lock_that_is_stuck_hangs_no_worker_for_ever(tmp_path, call, user):
    url = database_url() + "?options=-c%20lock_timeout%3D500ms"
    headers = {**call.headers, "Content-Type": "application/json"}
    with Server(tmp_path / "server.log", DATABASE_URL=url) as server, transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        _, envelope = server.call(call.path, {"first_name": "Zoë"}, headers)
    assert envelope["status_code"] == 2007


LIMITS = """
import json
from django.db import connection
names = {
    "postgresql": ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"],
    "mysql": [
        "@@innodb_lock_wait_timeout", "@@idle_transaction_timeout", "@@max_statement_time"
    ],
}[connection.vendor]
options = connection.settings_dict["OPTIONS"]
limits = {name: options.get(name) for name in ("max_wait", "read_timeout", "write_timeout")}
with connection.cursor() as cursor:
    for name in names:
        cursor.execute(f"SHOW {name}" if connection.vendor == "postgresql" else f"SELECT {name}")
        limits[name] = cursor.fetchone()[0]
print(json.dumps({name: limit for name, limit in limits.items() if limit}))
"""


def limits(*command, query=""):
    """Return the time limits of the database connection of a process that runs LIMITS."""
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": database_url() + query,
    }
    command = [sys.executable, *command]
    return json.loads(
        subprocess.run(
            command, cwd=PROJECT, env=environment, check=True, capture_output=True
        ).stdout
    )


@on_server
@pytest.mark.parametrize("served_by", ["config.wsgi", "config.asgi"])
def test_a_request_has_time_limits(served_by):
    assert (
        limits("-c", f"import {served_by}\n{LIMITS}")
        == {
            "postgresql": {
                "lock_timeout": "10s",
                "statement_timeout": "20s",
                "idle_in_transaction_session_timeout": "1min",
                "max_wait": 25,
            },
            "mysql": {
                "@@innodb_lock_wait_timeout": 10,
                "@@idle_transaction_timeout": 60,
                "@@max_statement_time": 20.0,
                "read_timeout": 25,
                "write_timeout": 25,
            },
        }[connection.vendor]
    )


@on_server
def test_a_command_runs_as_long_as_it_needs():
    assert (
        limits("manage.py", "shell", "-v", "0", "-c", LIMITS)
        == {
            "postgresql": {
                "lock_timeout": "10s",
                "statement_timeout": "0",
                "idle_in_transaction_session_timeout": "0",
            },
            "mysql": {"@@innodb_lock_wait_timeout": 10, "@@idle_transaction_timeout": 60},
        }[connection.vendor]
    )


@on_postgresql
def test_the_databases_url_may_name_other_limits():
    query = "?max_wait=50&options=-c%20statement_timeout%3D40s"
    found = limits("-c", f"import config.wsgi\n{LIMITS}", query=query)
    assert (found["statement_timeout"], found["max_wait"]) == ("40s", 50)
