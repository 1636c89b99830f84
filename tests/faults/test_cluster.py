"""A PostgreSQL of the tests' own that stops, or whose disk is full."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.postgresql import Cluster, binaries
from tests.requirements import absent
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


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
