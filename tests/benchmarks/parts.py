"""Measures what each part saves that makes the update call faster.

    python -m tests.benchmarks.parts

One process makes calls to the WSGI application, some with a part and some without it, in turn. What
is compared is processor time, of the process and of its PostgreSQL server process (on Linux), so
that other work on the machine matters little.
"""

import argparse
import io
import itertools
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import databases, load

CALLS = 20  # in a row, with or without a part


def switches() -> dict[str, Callable[[Any], None]]:
    """Return by part what takes it out; each is given pytest's `MonkeyPatch`."""
    from django.db.backends.postgresql.base import DatabaseWrapper as DjangosWrapper

    from config.middleware import ForPages
    from users.db import compiled
    from users.db.postgresql.base import DatabaseWrapper

    keep, keep_cursor = compiled._compiled, compiled._Statement._cursor

    def build_each_time(kind: type) -> Any:
        def build_or_keep(using: str, key: Any, build: Callable[[], Any]) -> Any:
            first = key[0] if isinstance(key, tuple) else key
            return build() if isinstance(first, kind) else keep(using, key, build)

        return build_or_keep

    def new_cursor(statement: Any) -> Any:
        statement.driver_connection = None
        return keep_cursor(statement)

    def run_apart(insert: Any, using: str, fields: Any, update: Any = None, **values: Any) -> Any:
        if update is not None:
            update.run()
        return run_insert(insert, using, fields, **values)

    def through_all(middleware: Any, request: Any) -> Any:
        return super(ForPages, middleware).__call__(request)

    select, insert = compiled.CompiledQuery, compiled.CompiledInsert
    run_insert = insert.run
    djangos_cursor = DjangosWrapper.create_cursor
    return {
        "all parts": lambda patch: None,
        "SELECT compiled once": lambda p: p.setattr(compiled, "_compiled", build_each_time(select)),
        "INSERT compiled once": lambda p: p.setattr(compiled, "_compiled", build_each_time(insert)),
        "UPDATE compiled once": lambda p: p.setattr(compiled, "plan_update", lambda *args: None),
        "UPDATE and INSERT as one": lambda p: p.setattr(insert, "run", run_apart),
        "cursors kept": lambda p: p.setattr(compiled._Statement, "_cursor", new_cursor),
        # It does not know the statements' cursors that exist: new ones, with and without it.
        "prepared cursors": lambda p: (
            p.setattr(DatabaseWrapper, "create_prepared_cursor", djangos_cursor),
            p.setattr(compiled._Statement, "_cursor", new_cursor),
        ),
        "middleware for pages alone": lambda p: p.setattr(ForPages, "__call__", through_all),
        "no query in is_usable": lambda p: p.setattr(
            DatabaseWrapper, "is_usable", DjangosWrapper.is_usable
        ),
    }


def environ_of(call: load.Call) -> dict[str, Any]:
    from django.test import RequestFactory

    request = RequestFactory(headers={"Host": "127.0.0.1"}).generic(
        call.method,
        call.path,
        json.dumps(call.body),
        "application/json",
        headers={"Authorization": f"Bearer {call.secret}", "teamid": str(call.team)},
    )
    return request.environ


def make(application: Any, environ: dict[str, Any]) -> None:
    """Make the call, which has to succeed."""
    statuses: list[str] = []
    response = application(environ, lambda status, headers: statuses.append(status))
    answer = b"".join(response)
    response.close()
    assert statuses == ["200 OK"], answer


def measure(seeded: databases.Seeded, rounds: int) -> Iterator[str]:
    """Yield a line of a Markdown table for each part."""
    os.environ |= databases.environment(seeded.url)
    import logging

    import pytest
    from django.db import connection

    from config.wsgi import application

    logging.getLogger("users.requests").handlers[0].stream = io.StringIO()
    parts, source = switches(), map(environ_of, load.calls(seeded, seed="parts"))
    make(application, next(source))
    schedule = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")

    def cpu() -> tuple[float, float]:
        return time.process_time() * 1000, int(schedule.read_text().split()[0]) / 1e6

    took: dict[str, list[tuple[float, float]]] = {part: [] for part in parts}
    for _ in range(rounds):
        for part in random.sample(list(parts), len(parts)):
            with pytest.MonkeyPatch.context() as patch:
                parts[part](patch)
                make(application, next(source))
                environs = list(itertools.islice(source, CALLS))
                before = cpu()
                for environ in environs:
                    make(application, environ)
                took[part].append(tuple(b - a for a, b in zip(before, cpu(), strict=True)))
    for part, figures in took.items():
        # The quartile: most of what disturbs makes a call slower.
        ours, servers = (
            statistics.quantiles(each)[0] / CALLS for each in zip(*figures, strict=True)
        )
        yield f"| {part} | {ours:.2f} | {servers:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.parts")
    parser.add_argument(
        "--database",
        default="postgresql://postgres@127.0.0.1:5432/postgres",
        help="a database of the PostgreSQL server on which another is made",
    )
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seeded = databases.make(options.database, 10_004, Path(folder))
    try:
        print("| without | CPU ms of a call | of the database server |\n|---|---|---|")
        for line in measure(seeded, options.rounds):
            print(line)
    finally:
        databases.drop(options.database, seeded)


if __name__ == "__main__":
    main()
