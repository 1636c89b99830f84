"""What a row of a spreadsheet says, and what it would do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext

from users.attributes.rules import KINDS, flat
from users.attributes.values import same
from users.db.keys import row_id
from users.models import AttributeDefinition, Team
from users.names import fold
from users.spreadsheets.cells import CLEAR, as_text, unprotect
from users.spreadsheets.columns import Column, columns_of
from users.spreadsheets.limits import UnreadableFileError

#: The columns that a file of refused rows has besides, so that it can be corrected and imported.
REFUSAL_COLUMNS = ("Refused Row", "Refused Because")

_MAX_NAMES = 40  # of columns in a message
_MAX_ERROR_TEXT = 2_000  # of a row, in characters
_MAX_NAME_LENGTH = 254  # of a login id or an email

_NOT_VALUES = frozenset({"id", "teams", "roles"})


class Layout:
    """The columns of a file.

    columns: by their position; None for one that an import does not read.
    position: of the columns that an import sets, by field and attribute.
    """

    def __init__(self, header: Sequence[str], definitions: Iterable[AttributeDefinition]) -> None:
        """Read the first row of a file.

        Raises `UnreadableFileError` with all errors.
        """
        self.header = list(header)
        known = columns_of(definitions)
        by_name = {column.name if column.key else fold(column.name): column for column in known}
        self.columns: list[Column | None] = []
        unknown: list[str] = []
        errors = []
        for cell in self.header:
            name = unprotect(cell)
            short = name.strip()
            column = by_name.get(name) or by_name.get(short) or by_name.get(fold(short))
            if column is None and short and fold(short) not in map(fold, REFUSAL_COLUMNS):
                unknown.append(f"“{short[:80]}”")
            if column is not None and column in self.columns:
                errors.append(gettext("The column “%s” is there twice.") % column.name)
            self.columns.append(column)
        if unknown:
            errors.append(self._unknown(unknown, known))
        self.position = {
            (column.field, column.key): number
            for number, column in enumerate(self.columns)
            if column is not None and column.is_set
        }
        if not {("id", ""), ("login_id", "")} & self.position.keys():
            errors.append(gettext("There must be a column “Login ID” or “ID” in the first row."))
        if errors:
            raise UnreadableFileError(" ".join(errors))

    def _unknown(self, unknown: Sequence[str], known: Iterable[Column]) -> str:
        left = [column.name for column in known if column not in self.columns]
        message = (
            gettext("There is no column %(unknown)s. There are: %(known)s, and %(more)d more.")
            if len(left) > _MAX_NAMES
            else gettext("There is no column %(unknown)s. There are: %(known)s.")
        )
        return message % {
            "unknown": ", ".join(unknown[:_MAX_NAMES]),
            "known": ", ".join(left[:_MAX_NAMES]),
            "more": len(left) - _MAX_NAMES,
        }

    @property
    def has_teams(self) -> bool:
        return bool({("teams", ""), ("roles", "")} & self.position.keys())

    @property
    def left(self) -> list[str]:
        """The names of the columns that are known, and that an import leaves."""
        return [column.name for column in self.columns if column and not column.is_set]


class Difference(NamedTuple):
    """What a row changes in one column; `before` is empty where there was nothing."""

    name: str
    before: str
    after: str


class CellError(NamedTuple):
    """What is wrong with a row. column: its position, or None where it is no single cell."""

    column: int | None
    message: str


@dataclass(slots=True, eq=False)
class Plan:
    """What a row would do: nothing, if it has errors, or neither a new user, changes nor roles.

    user: the one that the row names, or a new one that is not saved yet; None where there is none.
    changes: the new values by field, of a user who is there.
    roles: the new roles by team.
    user_id, login_key: what the row finds its user by: the id, where it has one.
    """

    layout: Layout
    number: int
    cells: Sequence[str]
    user: Any = None
    is_new: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    roles: dict[Team, str] = field(default_factory=dict)
    errors: list[CellError] = field(default_factory=list)
    user_id: int | None = field(init=False)
    login_key: str = field(init=False)

    def __post_init__(self) -> None:
        user_id = self.text("id")
        self.user_id = row_id(user_id) if user_id else None
        self.login_key = self.key("login_id")

    @property
    def does_something(self) -> bool:
        return not self.errors and bool(self.is_new or self.changes or self.roles)

    def cell(self, column: int) -> str:
        return self.cells[column] if column < len(self.cells) else ""

    def text(self, name: str) -> str:
        """Return what stands in the cell of a field; empty where there is no such column."""
        column = self.layout.position.get((name, ""))
        return "" if column is None else unprotect(self.cell(column)).strip()

    def key(self, name: str) -> str:
        """Return what the login id or the email of the row folds to; empty if no user has such."""
        text = self.text(name)
        return fold(text) if len(text) <= _MAX_NAME_LENGTH and "\0" not in text else ""

    def clears(self, name: str) -> bool:
        """Return True if the cell of a field is to clear it."""
        column = self.layout.position.get((name, ""))
        return column is not None and self.cell(column).strip() == CLEAR

    @property
    def differences(self) -> Iterator[Difference]:
        """What the row changes in each column, as long as it is not saved."""
        user = self.user
        for column in self.layout.columns:
            if column is None or not column.is_set or column.field in _NOT_VALUES:
                continue
            if self.is_new:
                if text := column.text(user):
                    yield Difference(column.name, "", text)
            elif column.field in self.changes:
                old, new = getattr(user, column.field), self.changes[column.field]
                if not column.key or not same(old.get(column.key), new.get(column.key)):
                    yield Difference(column.name, column.text(user), as_text(column.cell_of(new)))
        if not self.roles:  # nor are the stored ones read
            return
        stored = {} if self.is_new else {each.team: each.role for each in user.memberships.all()}
        for team, role in self.roles.items():
            before = f"{team}: {stored[team]}" if team in stored else ""
            yield Difference("Team", before, f"{team}: {role}")

    def add_error(self, name: str, message: str, key: str = "") -> None:
        """Add an error of a field, or of the attribute `key` in it.

        What is too long is cut off, for an error may list a thousand choices, in each row.
        """
        room = _MAX_ERROR_TEXT - sum(len(each.message) for each in self.errors)
        if room > 0:
            text = message if len(message) <= room else f"{message[:room]}…"
            self.errors.append(CellError(self.layout.position.get((name, key)), text))

    def add_errors(self, errors: Mapping[str, Any]) -> None:
        """Add errors as `changes.InvalidChangeError` has them."""
        for name, found in errors.items():
            if name in KINDS and isinstance(found, dict):
                for key, messages in found.items():
                    for message in messages:
                        self.add_error(name, message, key)
            else:
                for message in flat(found):
                    self.add_error(name, message)
