"""What happens when a server, a connection, a disk or a database fails in the middle of it."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from tests.assertions import assert_refused, assert_updated
from tests.postgresql import Cluster, binaries, wait_until_somebody_waits_for_a_lock
from tests.proxy import Proxy
from tests.server import PROJECT, Server, database_url

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
on_postgresql = pytest.mark.skipif(
    "postgresql" not in os.environ.get("DATABASE_URL", "sqlite"), reason="PostgreSQL's own"
)

on_server = pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no server")


def absent(reason):
    pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


def both_names(n):
    """Return an update of two parameters that must be seen together or not at all."""
    return {"first_name": f"n{n}", "last_name": f"n{n}", "skill_attributes": {f"k{n}": n}}


class Load:
    """Calls one after the other, in several threads, until it is stopped."""

    def __init__(self, server, path, headers, clients=4):
        self.server, self.path = server, path
        self.headers = {**headers, "Content-Type": "application/json"}
        self.answers = []  # (when, n, envelope or None)
        self.stopped = threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(start, clients)) for start in range(clients)
        ]

    def _run(self, n, step):
        while not self.stopped.is_set():
            envelope = None
            # The key goes again, for an object takes a hundred of them; each is of one client.
            body = both_names(n) | {"skill_attributes": {f"k{n % 88}": n}}
            with contextlib.suppress(OSError, ValueError, Exception):
                _, envelope = self.server.call(self.path, body, self.headers)
            self.answers.append((time.monotonic(), n, envelope))
            n += step

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)

    def codes(self, since=0.0):
        return [e and e["status_code"] for when, _, e in list(self.answers) if when >= since]

    def wait_for(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < deadline, self.codes()[-20:]
            time.sleep(0.02)


def test_what_was_acknowledged_survives_a_killed_server(tmp_path, call, user):
    acknowledged = {}
    for round_ in range(3):
        with Server(tmp_path / f"server{round_}.log") as server:
            with Load(server, call.path, call.headers) as load:
                load.wait_for(lambda load: load.codes().count(4309) >= 40)
                server.kill()
                load.stopped.set()
            latest = {}
            for _, n, envelope in load.answers:
                if envelope:
                    assert envelope["status_code"] == 4309
                    latest[f"k{n % 88}"] = max(n, latest.get(f"k{n % 88}", 0))
            acknowledged = latest
        user.refresh_from_db()
        assert user.first_name == user.last_name  # none half done
        # What is stored is what was acknowledged, or what came after it and was not answered.
        for key, n in acknowledged.items():
            assert user.skill_attributes[key] >= n


@on_postgresql  # SQLite locks no row: a call cannot be held in the middle
def test_a_graceful_stop_finishes_what_it_has_begun(tmp_path, call, user):
    with Server(tmp_path / "server.log") as server, ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            headers = {**call.headers, "Content-Type": "application/json"}
            answer = pool.submit(server.call, call.path, {"first_name": "Zoë"}, headers)
            wait_until_somebody_waits_for_a_lock()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
        status, envelope = answer.result(30)
        assert (status, envelope["status_code"]) == (200, 4309)
        server.process.wait(30)
    assert User.objects.get(pk=user.pk).first_name == "Zoë"


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
    "mysql": ["@@innodb_lock_wait_timeout", "@@max_statement_time"],
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
            "mysql": {"@@innodb_lock_wait_timeout": 10},
        }[connection.vendor]
    )


@on_postgresql
def test_the_databases_url_may_name_other_limits():
    query = "?max_wait=50&options=-c%20statement_timeout%3D40s"
    found = limits("-c", f"import config.wsgi\n{LIMITS}", query=query)
    assert (found["statement_timeout"], found["max_wait"]) == ("40s", 50)


@pytest.fixture
def frozen_at_will(tmp_path):
    """A server, and the proxy before its database, which it waits for no longer than a second."""
    settings = connection.settings_dict
    limit = {"postgresql": "max_wait", "mysql": "read_timeout"}[connection.vendor]
    query = f"?connect_timeout=2&{limit}=1"
    with Proxy(settings["HOST"], settings["PORT"]) as proxy:
        url = database_url().replace(f":{settings['PORT']}/", f":{proxy.port}/") + query
        with Server(tmp_path / "server.log", DATABASE_URL=url) as server:
            yield server, proxy


@on_server
def test_a_frozen_database_costs_no_thread(frozen_at_will, call):
    server, proxy = frozen_at_will
    headers = {**call.headers, "Content-Type": "application/json"}
    ready = "/readyz", None, {}, "GET"
    for _ in range(2):  # again after it thawed
        assert server.call(*ready)[0] == 200
        for n in range(9):  # there are eight threads
            _, envelope = server.call(call.path, {"first_name": f"a{n}"}, headers)
            assert envelope["status_code"] == 4309
        proxy.freeze()
        assert server.call(*ready)[0] == 503
        with ThreadPoolExecutor(9) as pool:
            answers = pool.map(
                lambda n: server.call(call.path, {"first_name": f"b{n}"}, headers), range(9)
            )
            assert {envelope["status_code"] for _, envelope in answers} == {2007}
        proxy.thaw()


@on_server
def test_a_commit_to_a_database_that_froze_is_not_cancelled(frozen_at_will, call, user):
    server, proxy = frozen_at_will
    headers = {**call.headers, "Content-Type": "application/json"}
    server.call(call.path, {"first_name": "Asha"}, headers)  # which notes the token's use, too
    proxy.freeze_after({"postgresql": b"COMMIT\0", "mysql": b"\3COMMIT"}[connection.vendor])
    _, envelope = server.call(call.path, {"first_name": "Zoë"}, headers)
    assert envelope["status_code"] == 3104
    proxy.thaw()
    user.refresh_from_db()
    assert user.first_name == "Zoë"


@pytest.fixture
def read_only(call):
    """The database takes no writes while a test runs."""
    call({"first_name": "Asha"})
    on, off = {
        "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
        "postgresql": (
            "SET default_transaction_read_only = on",
            "SET default_transaction_read_only = off",
        ),
        "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(on)
    yield
    with connection.cursor() as cursor:
        cursor.execute(off)


def test_a_read_only_database_fails_the_update(call, user, read_only):
    assert_refused(call({"first_name": "Zoë"}), 3104)
    assert User.objects.get(pk=user.pk).first_name == "Asha"


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own")
def test_a_full_sqlite_disk_fails_the_update_and_undoes_it(call, user):
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # or what other tests freed would be room
        cursor.execute("PRAGMA page_count")
        [pages] = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            before = User.objects.filter(pk=user.pk).values().get()
            numbers = set()
            for n in range(99):
                body = {"first_name": f"n{n}", "skill_attributes": {f"k{n}": "x" * 255}}
                envelope = call(body).json()
                numbers.add(envelope["status_code"])
                if envelope["status_code"] != 4309:
                    break
                before = User.objects.filter(pk=user.pk).values().get()
            assert numbers == {4309, 3104}
            assert User.objects.filter(pk=user.pk).values().get() == before
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert_updated(call({"first_name": "Zoë"}))


# On a PostgreSQL of the tests' own.


@pytest.fixture(scope="module")
def cluster():
    if binaries() is None:
        absent("PostgreSQL's server programs are not installed")
    # Not pytest's own folder, which PostgreSQL's account may not enter.
    folder = Path(tempfile.mkdtemp(prefix="desk-users-cluster-")) / "data"
    folder.mkdir()
    cluster = Cluster(folder)
    yield cluster
    with contextlib.suppress(subprocess.CalledProcessError):
        cluster.stop()
    shutil.rmtree(cluster.folder.parent, ignore_errors=True)


@pytest.fixture
def served_cluster(tmp_path, cluster, db):
    with Server(tmp_path / "server.log", DATABASE_URL=cluster.url) as server:
        yield server


@pytest.fixture
def load(served_cluster, cluster):
    headers = {"Authorization": f"Bearer {cluster.secret}", "teamid": cluster.team}
    with Load(served_cluster, f"/api/users/{cluster.user}", headers) as load:
        load.wait_for(lambda load: load.codes().count(4309) >= 20)
        yield load


def assert_not_half_done(cluster):
    [(first, last)] = cluster.execute("SELECT first_name, last_name FROM users_user")
    assert first == last


def test_a_database_that_stops_and_starts_is_survived_by_the_server(load, cluster):
    for _ in range(2):
        cluster.stop()
        stopped = time.monotonic()
        load.wait_for(lambda load, since=stopped: len(load.codes(since)) >= 20, seconds=20)
        answered = set(load.codes(stopped + 0.5))
        assert answered <= {2007, 3104}, answered
        cluster.start()
        started = time.monotonic()
        load.wait_for(lambda load, since=started: load.codes(since).count(4309) >= 20, seconds=20)
        settled = time.monotonic()
        load.wait_for(lambda load, since=settled: len(load.codes(since)) >= 20)
        assert set(load.codes(settled)) == {4309}
        assert_not_half_done(cluster)
    assert load.server.process.poll() is None
    acknowledged = max(n for _, n, e in load.answers if e and e["status_code"] == 4309)
    [(skills,)] = cluster.execute("SELECT skill_attributes FROM users_user")
    assert max(skills.values()) >= acknowledged


def test_a_full_disk_fails_updates_and_undoes_them(load, cluster, tmp_path):
    if os.geteuid() != 0:
        absent("a small disk is mounted by root alone")
    disk = cluster.folder.parent / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    try:
        shutil.chown(disk, "postgres")
        cluster.execute(
            f"CREATE TABLESPACE small LOCATION '{disk}'",
            "ALTER TABLE users_user SET TABLESPACE small",
        )
        with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)
        numbers = set()
        for _ in range(90):
            # Random, for what can be compressed takes no room.
            body = {"skill_attributes": {f"k{m}": secrets.token_hex(120) for m in range(90)}}
            _, envelope = load.server.call(load.path, body, load.headers)
            numbers.add(envelope["status_code"])
            assert_not_half_done(cluster)
        assert numbers <= {4309, 3104}
        assert 3104 in numbers
        (disk / "filler").unlink()
        freed = time.monotonic()
        load.wait_for(lambda load: load.codes(freed).count(4309) >= 5)
        cluster.execute("ALTER TABLE users_user SET TABLESPACE pg_default", "DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
