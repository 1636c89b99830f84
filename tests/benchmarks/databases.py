"""A database of the benchmark's own, seeded: the same rows for every contender."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.server import PROJECT

TEAMS = 10
#: (kind, name, type, choices): ten definitions, of which the calls set four.
DEFINITIONS = [
    ("custom", "business", "choice", ["Retail", "Banking", "Insurance"]),
    ("custom", "location", "choice", ["Berlin", "Mumbai", "Austin"]),
    ("custom", "cost centre", "text", []),
    ("custom", "floor", "number", []),
    ("custom", "remote", "boolean", []),
    ("skill", "languages", "multiple_choice", ["en", "de", "hi", "es", "fr"]),
    ("skill", "level", "number", []),
    ("skill", "products", "multiple_choice", ["cards", "loans", "accounts"]),
    ("skill", "trainer", "boolean", []),
    ("skill", "certificate", "text", []),
]
_BATCH = 10_000

SECRET_KEY = "not secret: it serves the benchmark, on this machine alone"


def environment(url: str) -> dict[str, str]:
    """Return the environment in which every contender runs on the database at `url`."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT),
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "off",
    }


@dataclass(frozen=True)
class Seeded:
    """A seeded database: `users` users with the ids from 1, user `i` in team `team_of(i)`.

    secrets: the access token of each team, from team 1 on.
    """

    url: str
    users: int
    secrets: tuple[str, ...]

    @staticmethod
    def team_of(user: int) -> int:
        return user % TEAMS + 1


def make(server: str, users: int, folder: Path) -> Seeded:
    """Make, migrate and seed a database, in place of one of the same name.

    server: `sqlite`, for a file in `folder`; or the URL of a database of a PostgreSQL server, on
        which the new one is made.
    """
    name = f"desk_users_benchmark_{users}"
    if server == "sqlite":
        url = f"sqlite:///{folder / name}.sqlite3"
    else:
        url = f"{server.rpartition('/')[0]}/{name}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
    for command in (
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        [sys.executable, "-m", "tests.benchmarks.databases", str(users)],
    ):
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=environment(url),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return Seeded(url, users, tuple(done.stdout.split()))


def query(seeded: Seeded, sql: str, *parameters: object) -> list[tuple]:
    """Return the rows of a query with the placeholder `%s`; objects and lists as they are."""
    if not seeded.url.startswith("sqlite"):
        with psycopg.connect(seeded.url) as connection:
            return connection.execute(sql, parameters).fetchall()
    path = seeded.url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(sql.replace("%s", "?"), parameters).fetchall()
    return [tuple(_decoded(value) for value in row) for row in rows]


def _decoded(value: object) -> object:
    is_json = isinstance(value, str) and value.startswith(("{", "["))
    return json.loads(value) if is_json else value


def drop(server: str, seeded: Seeded) -> None:
    """Drop the database again."""
    if server == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(seeded.url.removeprefix("sqlite:///") + suffix).unlink(missing_ok=True)
    else:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {seeded.url.rpartition('/')[2]} WITH (FORCE)")


def _seed(users: int) -> None:
    """Seed the database that the settings name, and print the teams' access tokens."""
    from django.db import connection
    from django.db.models import QuerySet

    from users.models import AccessToken, AttributeDefinition, Membership, Team, User

    teams = [Team.objects.create(name=f"Team {number}") for number in range(1, TEAMS + 1)]
    for kind, name, type_, choices in DEFINITIONS:
        AttributeDefinition.objects.create(kind=kind, name=name, type=type_, choices=choices)
    for first in range(1, users + 1, _BATCH):
        ids = range(first, min(first + _BATCH, users + 1))
        # By Django's own, which writes no history of them.
        QuerySet(User).bulk_create(
            User(
                first_name="Asha",
                last_name="Rao",
                login_id=f"agent{number}",
                email_id=f"agent{number}@desk.example",
                job_description="Agent",
                custom_attributes={"business": "Retail", "location": "Mumbai", "floor": number},
                skill_attributes={"languages": ["en", "hi"], "level": 3, "trainer": False},
            )
            for number in ids
        )
        QuerySet(Membership).bulk_create(
            Membership(user_id=number, team_id=Seeded.team_of(number)) for number in ids
        )
    for team in teams:
        print(AccessToken.objects.issue(f"HR of {team}", [team])[1])
    with connection.cursor() as cursor:
        # As the database would by itself, a while after so many rows came in.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


if __name__ == "__main__":
    import django

    django.setup()
    _seed(int(sys.argv[1]))
