"""Measures imports and exports of many users, beside django-import-export.

    python -m tests.benchmarks.spreadsheets [--users 10000] [--rounds 3] [--database URL]

Each contender changes four fields of every user by a CSV file, or creates as many, in a process of
its own, on PostgreSQL. `django-import-export` is measured twice: in bulk, past our models, so that
it neither locks, nor validates attributes, nor writes a history; and by saving each user, with a
lock and the history. Rows a second are those of the whole command; the memory is the most that its
process had.
"""

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import databases

CHOICES = ("Retail", "Banking", "Insurance")
CONTENDERS = (
    "ours",
    "ours, only valid",
    "ours, creating",
    "import-export, bulk",
    "import-export, saving",
    "export",
)
TIMEOUT = 600  # seconds


def write(path: Path, users: int, round_: int) -> None:
    """Write a file that changes every user."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "First Name", "Last Name", "Job Description", "custom:business"])
        for user in range(1, users + 1):
            choice = CHOICES[(user + round_) % len(CHOICES)]
            writer.writerow([user, f"First {round_}", f"Last {round_}", f"Job {round_}", choice])


def write_new(path: Path, users: int, round_: int) -> None:
    """Write a file that creates users."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Login ID", "First Name", "Last Name", "Team", "custom:business"])
        for user in range(users):
            login_id = f"new{round_}-{user}@desk.example"
            writer.writerow([login_id, "First", "Last", "Team 1", CHOICES[user % len(CHOICES)]])


def run_import_export(path: Path, *, saves: bool) -> None:
    import tablib
    from django.db import transaction
    from django.db.models import QuerySet
    from import_export import fields, resources
    from import_export.widgets import IntegerWidget

    from users.models import User

    class UserResource(resources.ModelResource):
        id = fields.Field("id", "ID", IntegerWidget())
        first_name = fields.Field("first_name", "First Name")
        last_name = fields.Field("last_name", "Last Name")
        job_description = fields.Field("job_description", "Job Description")
        business = fields.Field(column_name="custom:business")

        class Meta:
            model = User
            import_id_fields = ("id",)
            fields = ("id", "first_name", "last_name", "job_description", "business")
            use_bulk = not saves
            batch_size = 1000
            skip_diff = True
            skip_html_diff = True

        def get_queryset(self) -> Any:
            return User.objects.select_for_update() if saves else User.objects.all()

        def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
            attributes = {**instance.custom_attributes, "business": row["custom:business"]}
            instance.custom_attributes = attributes

        def get_bulk_update_fields(self) -> list[str]:
            return ["first_name", "last_name", "job_description", "custom_attributes"]

        def bulk_update(self, *args: Any, **kwargs: Any) -> None:
            QuerySet(User).bulk_update(self.update_instances, self.get_bulk_update_fields())
            self.update_instances.clear()

    with path.open(newline="", encoding="utf-8") as file, transaction.atomic():
        dataset = tablib.Dataset().load(file, format="csv")
        result = UserResource().import_data(dataset, raise_errors=True, use_transactions=False)
    assert result.totals["update"] == len(dataset), result.totals


def run(contender: str, path: Path) -> None:
    """Run one contender in this process, and print its figures."""
    import django

    django.setup()
    from django.core.management import call_command

    before, started = os.times(), time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        match contender:
            case "ours" | "ours, creating":
                call_command("import_users", str(path), stdout=nowhere)
            case "ours, only valid":
                call_command("import_users", str(path), "--only-valid", stdout=nowhere)
            case "export":
                call_command("export_users", str(path.with_suffix(".xlsx")), stdout=nowhere)
            case _:
                run_import_export(path, saves=contender.endswith("saving"))
    after = os.times()
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu": after.user - before.user + after.system - before.system,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


def measure(contender: str, path: Path, url: str) -> dict[str, float] | None:
    """Return the figures of a contender, or None if it fails."""
    command = [sys.executable, "-m", "tests.benchmarks.spreadsheets", "--run", contender, str(path)]
    environment = databases.environment(url)
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print(done.stderr.decode()[-800:], file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contender", action="append", choices=CONTENDERS)
    parser.add_argument("--database", default="postgresql://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run[0], Path(options.run[1]))
        return
    found: dict[str, list[dict[str, float] | None]] = {}
    with tempfile.TemporaryDirectory() as folder:
        seeded = databases.make(options.database, options.users, Path(folder))
        try:
            path, number = Path(folder) / "users.csv", 0
            for _ in range(options.rounds):
                for contender in options.contender or CONTENDERS:
                    number += 1
                    is_new = contender == "ours, creating"
                    (write_new if is_new else write)(path, options.users, number)
                    found.setdefault(contender, []).append(measure(contender, path, seeded.url))
        finally:
            databases.drop(options.database, seeded)
    print(f"{options.users:,} rows | seconds | rows/s | CPU ms a row | peak MB")
    for contender, rounds in found.items():
        done = [figures for figures in rounds if figures]
        if len(done) < len(rounds):
            print(f"{contender} | failed in {len(rounds) - len(done)} of {len(rounds)} rounds")
        if done:
            seconds, cpu, peak = (
                statistics.median(figures[name] for figures in done)
                for name in ("seconds", "cpu", "peak_mb")
            )
            rate, each = options.users / seconds, cpu / options.users * 1000
            print(f"{contender} | {seconds:.1f} | {rate:,.0f} | {each:.2f} | {peak:.0f}")


if __name__ == "__main__":
    main()
