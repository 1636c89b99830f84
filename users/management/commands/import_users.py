"""Creates and changes users from a spreadsheet (`--help`)."""

import argparse
import csv
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, router

from users import changes, invitations
from users.acting import acting
from users.db import transactions
from users.management import arguments
from users.management.progress import Progress
from users.models import AttributeDefinition, Change
from users.spreadsheets import reading
from users.spreadsheets.cells import CLEAR, letters, protect, unprotect
from users.spreadsheets.imports import Importer
from users.spreadsheets.limits import UnreadableFileError
from users.spreadsheets.plans import REFUSAL_COLUMNS, Layout, Plan

_BATCH = 1_000
_MAX_LINES = 20  # of refused rows, on the terminal
_ATTEMPTS = 3  # where somebody else takes a name at the same moment


class Command(BaseCommand):
    help = (
        "Creates and changes users from a CSV file or an Excel workbook: a row for each, whose "
        "first row names the columns, as export_users writes them. An empty cell leaves a value as "
        "it is, and - clears it. If a row is wrong, nothing is imported, unless with --only-valid. "
        "Rows are saved by the thousand. The command can be stopped, and run again, at any time: "
        "what is already as the file has it is left alone."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check all rows, import none")
        parser.add_argument(
            "--only-valid", action="store_true", help="import the rows that are right"
        )
        parser.add_argument(
            "--team", metavar="ID", help="the team that users join whose row names none"
        )
        parser.add_argument(
            "--invite", action="store_true", help="send new users a mail to set their password"
        )
        parser.add_argument(
            "--encoding",
            choices=reading.ENCODINGS,
            default="",
            help="of a CSV file without a byte order mark (default: utf-8)",
        )
        parser.add_argument(
            "--refused",
            metavar="FILE",
            type=Path,
            help="where the refused rows are written, with the reasons, to be corrected and "
            "imported (default: beside the file, with the ending .refused.csv)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["invite"] and (error := invitations.error()):
            raise CommandError(f"--invite: {error}")
        team = arguments.existing_team(options["team"]) if options["team"] else None
        path: Path = options["file"]
        report = options["refused"] or path.with_suffix(".refused.csv")
        if report.resolve() == path.resolve():
            raise CommandError("--refused: Must be another file than the one that is imported.")
        try:
            with path.open("rb") as file, acting(Change.Door.IMPORT):
                run = _Run(file, options["encoding"], report, self.stderr)
                run.importer_options = {"team": team, "invites": options["invite"]}
                run.check(plans=options["dry_run"] or not options["only_valid"])
                if not options["dry_run"] and (options["only_valid"] or not run.refused):
                    run.save()
        except OSError as error:
            raise CommandError(str(error)) from error
        except UnreadableFileError as error:
            raise CommandError(f"{path.name}: {error}") from error
        self._say(run, report, **options)

    def _say(self, run: "_Run", report: Path, **options: Any) -> None:
        verb = "Imported" if run.is_saved else "Nothing was imported. The rows would have"
        verb = "Checked" if options["dry_run"] else verb
        self.stdout.write(
            f"{verb}: {run.created:,} created, {run.updated:,} updated, {run.unchanged:,} "
            f"unchanged, {run.refused:,} refused."
        )
        if run.refused:
            self.stderr.write("\n".join(run.lines))
            where = f"The refused rows are in {report}."
            if options["only_valid"]:
                self.stderr.write(where)
            else:
                raise CommandError(where)


class _Run:
    """One import of a file: first all rows are read, and then saved."""

    importer_options: dict[str, Any]

    def __init__(self, file: BinaryIO, encoding: str, report: Path, stderr: Any) -> None:
        self.file, self.encoding, self.report, self.stderr = file, encoding, report, stderr
        self.using = router.db_for_write(get_user_model())
        _, header = next(self._rows(), (0, []))
        definitions = AttributeDefinition._base_manager.using(self.using).all()
        self.layout = Layout(header, definitions)
        self.total = 0
        self.is_saved = False
        self._begin()

    def _begin(self) -> None:
        self.created = self.updated = self.unchanged = self.refused = 0
        self.lines: list[str] = []

    def _rows(self) -> Iterator[reading.Row]:
        return reading.rows(self.file, encoding=self.encoding)

    def _batches(self) -> Iterator[list[reading.Row]]:
        return reading.batches(islice(self._rows(), 1, None), _BATCH)

    def check(self, *, plans: bool) -> None:
        """Read all rows, before any is saved; with `plans`, also find out what each would do."""
        importer = Importer(self.layout, self.using, **self.importer_options)
        progress = Progress(self.stderr, None, "rows checked")
        with _RefusedRows(self.report, self.layout) as refused_rows:
            for rows in self._batches():
                self.total += len(rows)
                if plans:
                    found = importer.plans(rows)
                    importer.plan(found)
                    importer.remember(found)
                    self._count(found, refused_rows)
                progress.add(len(rows))
        progress.finish()

    def save(self) -> None:
        """Save the rows that are right, a batch in a transaction."""
        self._begin()
        importer = Importer(self.layout, self.using, **self.importer_options)
        progress = Progress(self.stderr, self.total, "rows")
        with _RefusedRows(self.report, self.layout) as refused_rows:
            for rows in self._batches():
                plans = self._saved(importer, rows)
                importer.remember(plans)
                self._count(plans, refused_rows)
                progress.add(len(rows))
        progress.finish()
        self.is_saved = True

    def _saved(self, importer: Importer, rows: Sequence[reading.Row]) -> list[Plan]:
        lock_superusers = False
        for attempt in range(_ATTEMPTS):
            try:
                return self._save_batch(importer, rows, lock_superusers=lock_superusers)
            except changes.SuperusersNotLockedError:
                lock_superusers = True
            except IntegrityError:
                if attempt == _ATTEMPTS - 1:
                    raise
        return self._save_batch(importer, rows, lock_superusers=lock_superusers)

    def _save_batch(
        self, importer: Importer, rows: Sequence[reading.Row], *, lock_superusers: bool
    ) -> list[Plan]:
        model: Any = get_user_model()
        users = model.objects.db_manager(self.using)
        plans = importer.plans(rows)
        ids = importer.user_ids(plans)
        with transactions.atomic(self.using):
            superusers = users.lock_superusers() if lock_superusers else None
            locked = users.lock(users.filter(pk__in=ids).order_by())
            importer.plan(plans, locked, superusers)
            importer.save(plans)
        return plans

    def _count(self, plans: Sequence[Plan], refused_rows: "_RefusedRows") -> None:
        for plan in plans:
            if plan.errors:
                self.refused += 1
                refused_rows.add(plan)
                if len(self.lines) < _MAX_LINES:
                    self.lines.append(f"Row {plan.number}: {reason(plan)}")
            elif plan.is_new:
                self.created += 1
            elif plan.does_something:
                self.updated += 1
            else:
                self.unchanged += 1


def reason(plan: Plan) -> str:
    """Return why a row is refused, each error with its cell."""
    return " ".join(
        message if column is None else f"{letters(column)}{plan.number}: {message}"
        for column, message in plan.errors
    )


class _RefusedRows:
    """A CSV file of the rows that are refused, as they stood, with the reasons.

    It is made with its first row.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> "_RefusedRows":
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, plan: Plan) -> None:
        if self._file is None:
            # Which only its owner can read.
            opened = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(opened, "w", encoding="utf-8-sig", errors="replace", newline="")
            self._writer = csv.writer(self._file)
            names = [name for name in self.layout.header if name not in REFUSAL_COLUMNS]
            self._write([*names, *REFUSAL_COLUMNS])
        cells = [
            plan.cell(column)
            for column, name in enumerate(self.layout.header)
            if name not in REFUSAL_COLUMNS
        ]
        self._write([*cells, str(plan.number), reason(plan)])

    def _write(self, cells: Sequence[str]) -> None:
        # What clears a value would be a text if it were protected.
        self._writer.writerow(
            [cell if cell.strip() == CLEAR else protect(unprotect(cell)) for cell in cells]
        )
