"""Writes users into a CSV file or an Excel workbook (`--help`)."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet

from users import search
from users.attributes.rules import flat, rules_by_field
from users.management import arguments
from users.models import AttributeDefinition, Membership, Team
from users.spreadsheets import exports
from users.spreadsheets.writing import FORMATS


class Command(BaseCommand):
    help = (
        "Writes users into a CSV file or an Excel workbook, which import_users reads. "
        "The log says who exported how many."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "file",
            metavar="FILE",
            help="a file that ends with .csv or .xlsx, which only you can read; "
            "or - for CSV on standard output",
        )
        parser.add_argument("--team", metavar="ID", help="only the users of this team")
        parser.add_argument(
            "--filter",
            metavar="JSON",
            default="{}",
            help="only the users that meet these conditions, as in the search call, such as "
            '\'{"status": {"eq": "active"}}\'',
        )
        parser.add_argument(
            "--column",
            action="append",
            dest="columns",
            default=[],
            metavar="NAME",
            help="a column, such as 'Login ID' or 'custom:business'; repeat it for more "
            "(default: all that can be imported)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            columns = exports.chosen_columns(options["columns"])
        except exports.UnknownColumnError as error:
            raise CommandError(f"--column: {error}") from error
        team = arguments.existing_team(options["team"]) if options["team"] else None
        users = found_users(options["filter"], team)
        path = Path(options["file"])
        format_ = "csv" if options["file"] == "-" else path.suffix.lstrip(".").lower()
        if format_ not in FORMATS:
            raise CommandError(f"FILE must be - or end with one of: .{', .'.join(FORMATS)}.")
        filters = options["filter"] + (f", team {team.pk}" if team else "")
        content = exports.export(users, columns, format_, by="a command", filters=filters)
        if options["file"] == "-":
            sys.stdout.buffer.writelines(content)
        else:
            write(path, content)


def found_users(text: str, team: Team | None) -> QuerySet[Any]:
    """Return the users that meet the conditions in `text`, and are in `team`, if one is named.

    Raises `CommandError`.
    """
    try:
        wanted = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"--filter: This is not JSON: {error}") from error
    if not isinstance(wanted, dict):
        raise CommandError("--filter: Must be a JSON object.")
    try:
        conditions = search.parse(wanted, rules_by_field(AttributeDefinition.objects.all()))
    except search.InvalidSearchError as error:
        errors = [f"{name}: {m}" for name, found in error.errors.items() for m in flat(found)]
        raise CommandError("\n".join(["--filter:", *errors])) from error
    users = get_user_model()._default_manager.all()
    if not conditions and team is None:
        return users
    if team is None:
        matching = search.matching(conditions, "", "memberships__role")
        return users.filter(pk__in=users.filter(matching).values("pk"))
    matching = Q(search.matching(conditions, "user__", "role"), team=team)
    return users.filter(pk__in=Membership.objects.filter(matching).values("user"))


def write(path: Path, content: Iterable[bytes] | Iterator[bytes]) -> None:
    """Write `content` into the file `path` as a whole, or leave what is there."""
    try:
        # Only its owner can read a temporary file.
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.writelines(content)
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise CommandError(f"The file cannot be written: {error}") from error
