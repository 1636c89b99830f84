"""What is deployed in the trial: a PostgreSQL cluster by Patroni, two app hosts, and HAProxy."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg

from tests.cluster.nodes import Network, Node
from tests.postgresql import binaries
from tests.server import DEPLOYED, PROJECT

USERS = 16

SEED = f"""
from users.models import *
team = Team.objects.create(name="Support")
users = [
    User.objects.create_user(f"agent{{n}}", f"agent{{n}}@desk.example", first_name=f"Agent {{n}}")
    for n in range({USERS})
]
Membership.objects.bulk_create(Membership(user=user, team=team) for user in users)
_, secret = AccessToken.objects.issue("HR", [team])
print("SEED", team.pk, secret, *[user.pk for user in users])
"""

# With the shortest `ttl` that Patroni takes: a primary that does not renew its lock for so long is
# replaced. One that cannot renew it gives up before that.
PATRONI = {
    "ttl": 20,
    "loop_wait": 3,
    "retry_timeout": 5,
    "synchronous_mode": True,  # a primary has one standby that has all, as long as there is any
    "postgresql": {
        "use_pg_rewind": True,
        "parameters": {
            "max_connections": 100,
            # How a server notices that an app host is gone, whose transactions lock rows.
            "tcp_keepalives_idle": 5,
            "tcp_keepalives_interval": 1,
            "tcp_user_timeout": "5s",
        },
    },
}

HAPROXY = """
global
    maxconn 1000
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout check 4s
    retries 2
    option redispatch
frontend desk
    bind {proxy}:8000
    default_backend apps
backend apps
    balance leastconn
    option httpchk GET /readyz
    default-server inter 1s fall 2 rise 1
    server app1 {app1}:8000 check
    server app2 {app2}:8000 check
"""


class Deployment:
    """A context manager.

    folder: takes all data and logs.
    """

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.databases = [network.node("db1", 21), network.node("db2", 22)]
        self.apps = [network.node("app1", 11), network.node("app2", 12)]
        servers = ",".join(f"{node.address}:5432" for node in self.databases)
        self.url = f"postgresql://postgres@{servers}/postgres"
        self.environment = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": network.address,
            "HTTPS": "off",
            "DATABASE_URL": self.url,
        }
        self.processes: list[subprocess.Popen] = []

    def __enter__(self) -> "Deployment":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        here = self.network.address
        client = f"http://{here}:2379"
        self._run(
            "etcd", "--data-dir", str(self.folder / "etcd"), "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", f"http://{here}:2380",
        )  # fmt: skip
        self.wait_until(lambda: listens(here, 2379), 30)
        for node in self.databases:
            self.start_database(node)
            self.wait_until(lambda node=node: self.role(node) in ("master", "replica"), 120)
        self.wait_until(lambda: self.has_standby(), 120)
        self._manage("migrate", "--verbosity=0")
        self.team, self.secret, *users = self._manage("shell", "-c", SEED).split("SEED")[1].split()
        self.users = [int(user) for user in users]
        for node in self.apps:
            self.start_app(node)
        config = self.folder / "haproxy.cfg"
        addresses = {node.name: node.address for node in self.apps}
        config.write_text(HAPROXY.format(proxy=here, **addresses))
        self._run("haproxy", "-f", str(config))
        for node in self.apps:
            self.wait_until(lambda node=node: self.is_ready(node), 60)
        self.wait_until(lambda: listens(here, 8000), 30)

    def __exit__(self, *error: object) -> None:
        for node in (*self.apps, *self.databases):
            if node.process:
                node.kill()
        for process in self.processes:
            process.kill()
            process.wait(30)

    def _run(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip

    def start_database(self, node: Node) -> None:
        """Start Patroni on a node, which makes its cluster, or has it follow the primary."""
        home = self.folder / node.name
        if not home.exists():
            home.mkdir()
            shutil.chown(home, "postgres")
        config = {
            "scope": "desk",
            "name": node.name,
            "etcd3": {"host": f"{self.network.address}:2379"},
            "restapi": {
                "listen": f"{node.address}:8008",
                "connect_address": f"{node.address}:8008",
            },
            "bootstrap": {
                "dcs": PATRONI,
                "initdb": [{"auth": "trust"}, {"encoding": "UTF8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{node.address}:5432",
                "connect_address": f"{node.address}:5432",
                "data_dir": str(home / "data"),
                "bin_dir": str(binaries()),
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": [
                    f"host {what} all {self.network.range} trust" for what in ("all", "replication")
                ],
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "postgres"},
                    "rewind": {"username": "postgres"},
                },
            },
        }
        file = home / "patroni.json"  # which is YAML, too
        file.write_text(json.dumps(config))
        file.chmod(0o644)
        node.pid_files = [home / "data" / "postmaster.pid"]
        account = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        node.start(
            [*account, "/usr/bin/patroni", str(file)],
            self.folder / f"{node.name}.log",
            cwd="/",
            # Debian's own Python and libraries, not those of the project's environment.
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        )

    def start_app(self, node: Node) -> None:
        """Start an app host, with the README's options."""
        command = f"-m config.serve {DEPLOYED} --host {node.address} --port 8000"
        node.start(
            [sys.executable, *command.split(), "config.wsgi:application"],
            self.folder / f"{node.name}.log",
            cwd=PROJECT,
            env=self.environment,
        )

    def is_ready(self, node: Node) -> bool:
        try:
            with urllib.request.urlopen(f"http://{node.address}:8000/readyz", timeout=3):
                return True
        except OSError:
            return False

    def role(self, node: Node) -> str | None:
        """Return what Patroni says that a node is: `master`, `replica`, or None."""
        try:
            with urllib.request.urlopen(f"http://{node.address}:8008/patroni", timeout=2) as answer:
                status = json.load(answer)
        except (OSError, ValueError):
            return None
        return status["role"] if status["state"] == "running" else None

    def primary(self) -> Node:
        [found] = [node for node in self.databases if self.role(node) in ("master", "primary")]
        return found

    def has_standby(self) -> bool:
        """Return True if there is a standby that has all commits, which Patroni would promote."""
        for node in self.databases:
            try:
                with urllib.request.urlopen(
                    f"http://{node.address}:8008/cluster", timeout=2
                ) as got:
                    members = json.load(got)["members"]
            except (OSError, ValueError):
                continue
            return {(member["role"], member["state"]) for member in members} in (
                {("leader", "running"), ("sync_standby", "running")},
                {("leader", "running"), ("sync_standby", "streaming")},
            )
        return False

    def wait_until(self, condition, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s; see {self.folder}"
            time.sleep(0.2)

    def execute(self, *statements: str) -> list:
        """Run the statements on the primary, in one transaction, and return the last one's rows."""
        url = f"{self.url}?target_session_attrs=read-write&connect_timeout=3"
        with psycopg.connect(url) as connection:
            connection.execute("SET lock_timeout = '10s'")
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def listens(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False
