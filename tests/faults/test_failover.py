"""A primary that fails while its synchronous standby takes over."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.postgresql import Cluster, Standby, binaries
from tests.requirements import absent
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clusters():
    """A primary, and a standby that has all its commits."""
    if binaries() is None:
        absent("PostgreSQL's server programs are not installed")
    folder = Path(tempfile.mkdtemp(prefix="desk-users-failover-"))
    (folder / "primary").mkdir()
    primary = Cluster(folder / "primary")
    standby = Standby(primary, folder / "standby")
    yield primary, standby
    for cluster in (standby, primary):
        cluster.signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.CalledProcessError):
            cluster.stop()
    shutil.rmtree(folder)


@pytest.mark.parametrize("fault", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_every_worker_updates_again_on_the_new_primary(tmp_path, clusters, fault):
    primary, standby = clusters
    servers = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = f"postgresql://postgres@{servers}/postgres?max_wait=2&connect_timeout=2"
    headers = {"Authorization": f"Bearer {primary.secret}", "teamid": primary.team}
    path = f"/api/users/{primary.user}"
    with Server(tmp_path / "server.log", DATABASE_URL=url) as server:
        with Load(server, path, headers, clients=8) as load:
            load.wait_for(lambda load: load.codes().count(4309) >= 40)
            primary.signal(fault)
            standby.execute("SELECT pg_promote()")
            promoted = time.monotonic()
            load.wait_for(lambda load: load.codes(promoted).count(4309) >= 40, seconds=60)
        with ThreadPoolExecutor(16) as pool:  # there are eight threads
            answers = pool.map(
                lambda n: server.call(path, {"first_name": f"n{n}"}, load.headers), range(64)
            )
            assert {envelope["status_code"] for _, envelope in answers} == {4309}
    acknowledged = [n for _, n, e in load.answers if e and e["status_code"] == 4309]
    names = standby.execute("SELECT after->>'last_name' FROM users_change")
    stored = Counter(name for (name,) in names if name)
    assert {f"n{n}" for n in acknowledged} <= stored.keys()
    assert set(stored.values()) == {1}
