"""Measures what the size of a team, and the depth of a page, cost a list and a search.

    python -m tests.benchmarks.lists [--users 1000000]

One process makes the calls in turn, on PostgreSQL. The last column is the ratio to the first row of
its group: to page 1 of the same list, or to the same search in a team of 100 users.
"""

import argparse
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import databases

SMALL, PAGE, DEEP = 100, 10, 50_000  # users of a small team, users on a page, the number of a page
SEARCHES: dict[str, Any] = {
    "all": {},
    "status": {"status": {"eq": "inactive"}},
    "a choice": {"custom_attributes": {"business": {"eq": "Banking"}}},
    "both": {"status": {"eq": "active"}, "custom_attributes": {"business": {"eq": "Banking"}}},
    "a skill": {"skill_attributes": {"languages": {"contains": "de"}}},
}


def prepare(users: int) -> dict[str, tuple[int, str]]:
    """Make a small team and one of everybody, and return by name each team's id and token."""
    from django.db import connection

    from users.models import AccessToken, Membership, Team

    with connection.cursor() as cursor:
        # A tenth of the users, of each team alike, are what the searches ask for.
        cursor.execute(
            "UPDATE users_user SET status = 'inactive', custom_attributes = "
            'custom_attributes || \'{"business": "Banking"}\', skill_attributes = '
            'skill_attributes || \'{"languages": ["de"]}\' WHERE id / 10 % 10 = 0'
        )
        cursor.execute(
            "UPDATE users_user SET status = 'active' WHERE id / 10 % 20 = 0 AND status = 'inactive'"
        )
    found = {"a tenth": Team.objects.get(name="Team 1")}
    for name, members in (("small", range(1, SMALL + 1)), ("everybody", range(1, users + 1))):
        found[name] = Team.objects.create(name=name)
        Membership.objects.bulk_create(
            (Membership(user_id=pk, team=found[name]) for pk in members), batch_size=5_000
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {
        name: (team.pk, AccessToken.objects.issue(name, [team])[1]) for name, team in found.items()
    }


def median_ms(calls: list[Callable[[], Any]], rounds: int) -> list[float]:
    """Return how long each of `calls` takes, made in turn."""
    took: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, times in zip(calls, took, strict=True):
            started = time.perf_counter()
            call()
            times.append((time.perf_counter() - started) * 1000)
    return [statistics.median(times) for times in took]


def measure(users: int, rounds: int) -> None:
    """Print a line of a Markdown table for each list and search."""
    import logging

    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    logging.getLogger("users.requests").handlers[0].stream = io.StringIO()
    teams, client = prepare(users), Client()

    def ask(team: str, path: str, body: Any = None) -> dict[str, Any]:
        team_id, secret = teams[team]
        headers = {"Authorization": f"Bearer {secret}", "teamid": str(team_id)}
        path = f"/api/users{path}"
        response = (
            client.get(path, headers=headers)
            if body is None
            else client.post(path, json.dumps(body), "application/json", headers=headers)
        )
        assert response.status_code == 200, response.content
        return response.json()["response"]

    def report(names: list[str], calls: list[Callable[[], Any]]) -> None:
        found = median_ms(calls, rounds)
        for name, ms in zip(names, found, strict=True):
            print(f"| {name} | {ms:.1f} | {ms / found[0]:.2f} |")

    deep = min(DEEP * PAGE, users // 2)
    for sort in ("id", "-login_id", "created_at", "updated_at"):
        query, after, seen = f"?page_size=100&sort={sort}", None, 0
        while seen < deep:
            page = ask("everybody", f"{query}&after={after}" if after else query)
            after, seen = page["after"], seen + 100
        query = f"?page_size={PAGE}&sort={sort}"
        names = [f"list, sort={sort}, page 1", f"list, sort={sort}, page {seen // PAGE:,}"]
        report(
            names,
            [
                lambda query=query: ask("everybody", query),
                lambda query=query, after=after: ask("everybody", f"{query}&after={after}"),
            ],
        )
    for name, body in SEARCHES.items():
        sizes = {"small": SMALL, "a tenth": users // databases.TEAMS, "everybody": users}
        report(
            [f"search, {name}, a team of {size:,}" for size in sizes.values()],
            [lambda team=team, body=body: ask(team, "/search", body) for team in sizes],
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lists")
    parser.add_argument(
        "--database",
        default="postgresql://postgres@127.0.0.1:5432/postgres",
        help="a database of the PostgreSQL server on which another is made",
    )
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seeded = databases.make(options.database, options.users, Path(folder))
    os.environ |= databases.environment(seeded.url)
    import django

    django.setup()
    try:
        print("| call | ms | ratio |\n|---|---|---|")
        measure(options.users, options.rounds)
    finally:
        django.db.connections.close_all()
        databases.drop(options.database, seeded)


if __name__ == "__main__":
    main()
