"""Measures the pages of the admin site in a lively contact centre, on PostgreSQL.

    python -m tests.benchmarks.pages [--users 50000]

One process asks for the pages in turn, as a superuser. There are 20 attribute definitions, and up
to 60 teams. The first column is how long a page takes; the second how long its queries took of it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from typing import Any

import psycopg

from tests.benchmarks.databases import environment
from tests.server import PROJECT

NAME = "desk_users_pages"
EVERYBODY = "Everybody"


def prepare(users: int) -> None:
    """Make the contact centre."""
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction
    from django.db.models import QuerySet

    from config import demo_centre
    from users.models import AttributeDefinition, Membership, Team

    get_user_model().objects.create_superuser("admin", "admin@desk.example", None, first_name="Ada")
    kinds = AttributeDefinition.Kind
    for name, choices in (("business", "Retail Banking Travel"), ("location", "Berlin Mumbai")):
        AttributeDefinition.objects.create(
            kind=kinds.CUSTOM, name=name, type="choice", choices=[*choices.split(), "Toronto"]
        )
    languages = {"type": "multiple_choice", "choices": ["en", "de", "hi", "fr"]}
    AttributeDefinition.objects.create(kind=kinds.SKILL, name="languages", **languages)
    AttributeDefinition.objects.create(kind=kinds.SKILL, name="seniority", type="number")
    with transaction.atomic():
        demo_centre.make(users, [], lambda number: None)
        everybody = Team.objects.create(name=EVERYBODY)
        QuerySet(Membership).bulk_create(  # by Django's own, which writes no history
            Membership(user_id=pk, team=everybody)
            for pk in get_user_model().objects.values_list("pk", flat=True)
        )
    for number in range(20 - AttributeDefinition.objects.count()):
        AttributeDefinition.objects.create(kind=kinds.CUSTOM, name=f"note {number}", type="text")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(rounds: int) -> None:
    """Print a line of a Markdown table for each page."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from users.models import AttributeDefinition, Team

    settings.ALLOWED_HOSTS = ["testserver"]
    client, User = Client(), get_user_model()  # noqa: N806
    client.force_login(User.objects.get(login_id="admin"), settings.AUTHENTICATION_BACKENDS[-1])
    languages = AttributeDefinition.objects.get(name="languages")
    location = AttributeDefinition.objects.get(name="location")
    agent = User.objects.filter(role_type="Customer Care").first()
    team, everybody = Team.objects.first(), Team.objects.get(name=EVERYBODY)
    hindi = f"skill_{languages.pk}=hi&custom_{location.pk}=Mumbai"
    pages = {
        "overview": "/admin/",
        "list of users": "/admin/users/user/",
        "list, page 20": "/admin/users/user/?p=20",
        "list, filtered by a skill, a choice and log-in": f"/admin/users/user/?{hindi}&logged_in=1",
        "list, searched": "/admin/users/user/?q=Priya",
        "list, values no longer allowed": "/admin/users/user/?not_allowed=any",
        "list, sorted by log-in": "/admin/users/user/?o=is_logged_in",
        "form of a user": f"/admin/users/user/{agent.pk}/change/",
        "history of a user": f"/admin/users/user/{agent.pk}/history/",
        "changes": "/admin/users/change/",
        "memberships": "/admin/users/membership/",
        "members of a team": f"/admin/users/membership/?team__id__exact={team.pk}",
        "deletion of a team of all users": f"/admin/users/team/{everybody.pk}/delete/",
        "definition with choices": f"/admin/users/attributedefinition/{languages.pk}/change/",
    }
    took: dict[str, list[tuple[float, float, int]]] = {name: [] for name in pages}
    for round_ in range(rounds + 1):
        for name, path in pages.items():
            with CaptureQueriesContext(connection) as queries:
                started = time.perf_counter()
                response = client.get(path)
                seconds = time.perf_counter() - started
            assert response.status_code == 200, (path, response.status_code)
            if round_:  # the first warms up
                database = sum(float(query["time"]) for query in queries)
                took[name].append((seconds * 1000, database * 1000, len(queries)))
    for name, figures in took.items():
        whole, database, number = (statistics.median(each) for each in zip(*figures, strict=True))
        print(f"| {name} | {whole:.0f} | {database:.0f} | {number:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pages")
    parser.add_argument(
        "--database",
        default="postgresql://postgres@127.0.0.1:5432/postgres",
        help="a database of the PostgreSQL server on which another is made",
    )
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with psycopg.connect(options.database, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
    settings: dict[str, Any] = environment(f"{options.database.rpartition('/')[0]}/{NAME}")
    os.environ |= settings
    import django

    django.setup()
    try:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrate, cwd=PROJECT, env=settings, check=True)
        prepare(options.users)
        print("| page | ms | of the database, ms | queries |\n|---|---|---|---|")
        measure(options.rounds)
    finally:
        django.db.connections.close_all()
        with psycopg.connect(options.database, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


if __name__ == "__main__":
    main()
