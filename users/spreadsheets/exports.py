"""Exporting users: rows, as a stream in flat memory."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.translation import gettext

from users.models import AttributeDefinition
from users.spreadsheets.cells import Cell
from users.spreadsheets.columns import Column, columns_of, memberships_of_users
from users.spreadsheets.writing import FORMATS

logger = logging.getLogger(__name__)

_BATCH = 500


class UnknownColumnError(Exception):
    """A column is asked for that there is not. The message names those that there are."""


def chosen_columns(names: Sequence[str] = ()) -> list[Column]:
    """Return the columns with these names, in this order; without names, all that can be imported.

    Raises `UnknownColumnError`.
    """
    columns = columns_of(AttributeDefinition.objects.all())
    if not names:
        return [column for column in columns if column.is_set]
    by_name = {column.name: column for column in columns}
    if unknown := [name for name in names if name not in by_name]:
        message = gettext("There is no column %(unknown)s. There are: %(known)s.")
        listed = {"unknown": ", ".join(map(repr, unknown)), "known": ", ".join(by_name)}
        raise UnknownColumnError(message % listed)
    return [by_name[name] for name in names]


def rows(users: QuerySet[Any], columns: Sequence[Column]) -> Iterator[list[Cell]]:
    """Yield a row for each of `users`, by id; a part of them is read at a time."""
    fields = {column.field for column in columns}
    model = get_user_model()
    manager = model._default_manager.db_manager(users.db)
    found = manager.with_logged_in() if "logged_in" in fields else manager.all()
    if {"teams", "roles"} & fields:
        found = found.prefetch_related(memberships_of_users())
    found = found.filter(pk__in=users.order_by().values("pk")).order_by("pk")
    part = list(found[:_BATCH])
    while part:
        for user in part:
            yield [column.cell(user) for column in columns]
        is_last = len(part) < _BATCH
        part = [] if is_last else list(found.filter(pk__gt=part[-1].pk)[:_BATCH])


def export(
    users: QuerySet[Any], columns: Sequence[Column], format_: str, *, by: str, filters: str
) -> Iterator[bytes]:
    """Yield a file of `users`, and log the export when it ends, be it cut off.

    format_: of `FORMATS`.
    by, filters: for the log: who exports, and which users.
    """
    number = 0

    def counted() -> Iterator[list[Cell]]:
        nonlocal number
        for row in rows(users, columns):
            number += 1
            yield row

    _, write = FORMATS[format_]
    state = "cut off"
    try:
        yield from write([column.name for column in columns], counted())
        state = "complete"
    finally:
        names = ", ".join(column.name for column in columns)
        logger.info(
            "Export by %r: %d users (%s), filter: %r, columns: %r",
            by,
            number,
            state,
            filters,
            names,
        )
