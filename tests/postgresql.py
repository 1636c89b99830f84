"""A PostgreSQL of the tests' own, to be stopped, started and filled up."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from django.db import connection

from tests.processes import send, with_children
from tests.server import PROJECT, free_port

SEED = """
from users.models import *
team = Team.objects.create(name="Support")
user = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
Membership.objects.create(user=user, team=team)
_, secret = AccessToken.objects.issue("HR", [team])
print("SEED", user.pk, team.pk, secret)
"""


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's server programs, None where they are not installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def wait_until_somebody_waits_for_a_lock() -> None:
    """Wait until somebody waits for a lock in the database of the tests."""
    deadline = time.monotonic() + 9  # the server's own limit is 10
    with connection.cursor() as cursor:
        waiting = 0
        while not waiting:
            assert time.monotonic() < deadline
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            [waiting] = cursor.fetchone()


class Cluster:
    """A cluster in `folder`, on a port of its own, with the project's tables and one user in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        # PostgreSQL refuses to be root.
        self.account = "postgres" if os.geteuid() == 0 else None
        if self.account:
            folder.parent.chmod(0o755)
            shutil.chown(folder, self.account)
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
        self.start()
        self._manage("migrate", "--verbosity=0")
        _, self.user, self.team, self.secret = self._manage("shell", "-c", SEED).split()[-4:]

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(binaries() / program), "-D", str(self.folder), *arguments]
        # To a file: a server that is started would keep a pipe open.
        with (self.folder.parent / "cluster.log").open("ab") as log:
            subprocess.run(
                command, user=self.account, cwd="/", check=True, stdout=log, stderr=log, timeout=60
            )

    def _manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "SECRET_KEY": "x",
                "DEBUG": "on",
                "DATABASE_URL": self.url,
            },
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def start(self) -> None:
        # Without fsync: a server that is killed loses nothing, only a machine would.
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=''", "fsync=off")
        options = " ".join([f"-p {self.port}", *(f"-c {setting}" for setting in settings)])
        self._run("pg_ctl", "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, as a crash does; what was committed stays."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all processes of the server."""
        [pid, *_] = (self.folder / "postmaster.pid").read_text().split()
        send(number, with_children([int(pid)]))

    def execute(self, *statements: str) -> list:
        """Run the statements, and return the rows of the last."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class Standby(Cluster):
    """A synchronous standby of `primary`, in `folder`."""

    def __init__(self, primary: Cluster, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.account = primary.account
        folder.mkdir(mode=0o700)
        if self.account:
            shutil.chown(folder, self.account)
        source = f"--dbname={primary.url}"
        self._run(
            "pg_basebackup", source, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"
        )
        self.start()
        primary.execute(
            "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"
        )
