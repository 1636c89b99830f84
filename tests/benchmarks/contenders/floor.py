"""The floor: the statements of our own call, without the call.

They are recorded from one call that our view answers, and run in a bare loop through the
database's driver, prepared as it does by itself: no HTTP, no Django, nothing judged.
"""

import os
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import psycopg
from django.db.backends.sqlite3._functions import register

from tests.benchmarks.databases import TEAMS, Seeded, environment
from tests.benchmarks.load import calls


class Statement(NamedTuple):
    sql: str
    parameters: tuple[Any, ...]
    in_transaction: bool


def record(seeded: Seeded) -> tuple[list[Statement], int]:
    """Return the statements of one call on `seeded`, and the id of the user that it updated.

    Runs in a process of its own, whose settings are those of the deployed project.
    """
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_record, (seeded,))


def _record(seeded: Seeded) -> tuple[list[Statement], int]:
    os.environ |= environment(seeded.url)
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    statements: list[Statement] = []

    def wrapper(execute, sql, params, many, context):
        if not sql.startswith("BEGIN"):  # which Django runs as a statement on SQLite alone
            statements.append(Statement(sql, tuple(params or ()), connection.in_atomic_block))
        return execute(sql, params, many, context)

    source = calls(seeded, seed="floor")

    def make(call):
        response = Client().patch(
            f"/api/users/{call.user}",
            call.body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {call.secret}", "teamid": str(call.team)},
        )
        assert response.json()["status_code"] == 4309, response.content

    # No other parameter of the statements may look like the user's id.
    first = next(each for each in source if each.user > TEAMS)
    make(first)  # which notes the use of the token, once a minute
    call = next(each for each in source if each.team == first.team and each.user > TEAMS)
    with connection.execute_wrapper(wrapper):
        make(call)
    return statements, call.user


class _PostgreSQL:
    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.execute = self.connection.execute
        self.transaction = self.connection.transaction


class _SQLite:
    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(
            url.removeprefix("sqlite:///"), isolation_level=None, timeout=20
        )
        self.connection.execute("PRAGMA journal_mode=WAL")
        register(self.connection)  # the functions that Django's statements call

    def execute(self, sql: str, parameters: list) -> Any:
        return self.connection.execute(sql.replace("%s", "?"), parameters)

    def transaction(self) -> "_SQLite":
        return self

    def __enter__(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *error: object) -> None:
        self.connection.execute("COMMIT")


def _loop(
    seeded: Seeded, statements: list[Statement], user: int, users: range, seconds: float
) -> list[float]:
    took = []
    database = (_SQLite if seeded.url.startswith("sqlite") else _PostgreSQL)(seeded.url)
    outside = [each for each in statements if not each.in_transaction]
    inside = [each for each in statements if each.in_transaction]
    text = next(  # what the recorded call set the job description to, to be another each time
        value for each in inside for value in each.parameters if str(value).startswith("Agent ")
    )
    chance = random.Random()
    deadline = time.perf_counter() + seconds

    def execute(statement: Statement, replaced: dict) -> None:
        parameters = [
            replaced.get(value, value) if isinstance(value, int | str) else value
            for value in statement.parameters
        ]
        cursor = database.execute(statement.sql, parameters)
        if cursor.description:
            assert cursor.fetchall()

    while (started := time.perf_counter()) < deadline:
        # Another user of the same team, and no client's but this one's: the statement that locks
        # the row passes over one that is locked.
        other = user % TEAMS + TEAMS * chance.choice(users)
        replaced = {user: other, text: f"Agent {chance.getrandbits(32):x}"}
        for statement in outside:
            execute(statement, replaced)
        with database.transaction():
            for statement in inside:
                execute(statement, replaced)
        took.append(time.perf_counter() - started)
    database.connection.close()
    return took


def _worker(seeded, statements, user, parts, seconds) -> tuple[list[float], float]:
    with ThreadPoolExecutor(len(parts)) as pool:
        clients = [pool.submit(_loop, seeded, statements, user, part, seconds) for part in parts]
    return [each for client in clients for each in client.result()], time.process_time()


def run(
    seeded: Seeded, statements: list[Statement], user: int, clients: int, seconds: float
) -> tuple[list[float], float]:
    """Run the statements with `clients` at a time, in two processes, for `seconds`.

    Returns the seconds that each round of them took, and the processor's seconds in all.
    """
    parts = [range(1 + client, seeded.users // TEAMS, clients) for client in range(clients)]
    shares = [share for share in (parts[::2], parts[1::2]) if share]
    with get_context("fork").Pool(len(shares), maxtasksperchild=1) as pool:
        results = pool.starmap(
            _worker, [(seeded, statements, user, share, seconds) for share in shares], chunksize=1
        )
    return [t for took, _ in results for t in took], sum(cpu for _, cpu in results)
