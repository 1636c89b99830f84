"""The columns of a spreadsheet of users: how a cell is made from a user, and read back.

A new field that an import may set is a column here, by the name that the documents have for it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch

from users.attributes.types import Boolean, Choice, Integer, MultipleChoice, Text, Type, type_of
from users.attributes.values import MAX_INTEGER
from users.models import AbstractUser, AttributeDefinition, Membership
from users.names import fold
from users.spreadsheets.cells import Cell, as_text

#: Joins the items of a list into a text and takes them apart: "Sales|Support".
LISTS = MultipleChoice(())


@dataclass(frozen=True, slots=True)
class Word(Choice):
    """One of `choices`, in any case."""

    def from_text(self, text: str) -> Any:
        return next((each for each in self.choices if fold(each) == fold(text.strip())), text)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    name: as it stands in the first row.
    field: of the user; `teams` and `roles` are those of the memberships.
    key: of an attribute, which `field` holds.
    is_set: False if an import only knows the column, and leaves it.
    is_cleared: True if a value can be cleared.
    """

    name: str
    field: str
    type: Type
    key: str = ""
    is_set: bool = True
    is_cleared: bool = False

    def cell(self, user: AbstractUser) -> Cell:
        """Return what the cell holds for `user`, read with `memberships_of_users`."""
        if self.field in _OF_MEMBERSHIPS:
            memberships: Any = user.memberships  # type: ignore[attr-defined]
            return LISTS.as_text([_OF_MEMBERSHIPS[self.field](each) for each in memberships.all()])
        return self.cell_of(getattr(user, self.field))

    def cell_of(self, value: Any) -> Cell:
        """Return what the cell holds for a value of `field`."""
        if self.key:
            value = value.get(self.key)
        match value:
            case None | str() | bool() | int() | float():
                return value
            case datetime():
                return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        if self.type.error(value):  # as nobody could enter it
            return json.dumps(value, ensure_ascii=False)
        return self.type.as_text(value)

    def text(self, user: AbstractUser) -> str:
        """Return what the cell holds, as text."""
        return as_text(self.cell(user))

    def is_as_exported(self, text: str, user: AbstractUser) -> bool:
        """Return True if `text` is what an export has for `user`.

        Also after a spreadsheet program saved it: they have one kind of line break, and round
        numbers to 15 digits.
        """
        stored = self.cell(user)
        if text == as_text(stored):
            return True
        if isinstance(stored, str):
            return _with_line_feeds(text) == _with_line_feeds(stored)
        if isinstance(stored, bool) or not isinstance(stored, int | float):
            return False
        number = self.value(text)
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        return is_number and number == float(f"{stored:.15g}")

    def value(self, text: str) -> Any:
        """Return the value that `text` stands for; what it cannot be stays, to be refused."""
        value = self.type.from_text(text)
        if self.type.error(value) and text != text.strip():
            return self.type.from_text(text.strip())
        return value


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


_OF_MEMBERSHIPS: Mapping[str, Callable[[Any], str]] = {
    "teams": lambda membership: membership.team.name,
    "roles": lambda membership: membership.role,
}

#: The type of one role in a list of roles.
ROLE = Word(Membership.Role.values)

#: The columns of every spreadsheet, in their order; then come those of the attributes.
COLUMNS = (
    Column("ID", "id", Integer(0, MAX_INTEGER)),
    Column("First Name", "first_name", Text()),
    Column("Last Name", "last_name", Text(), is_cleared=True),
    Column("Login ID", "login_id", Text()),
    Column("Email ID", "email_id", Text()),
    Column("Status", "status", Word(AbstractUser.Status.values)),
    Column("Job Description", "job_description", Text(), is_cleared=True),
    Column("Login Using Email", "login_using_email", Boolean()),
    Column("Team", "teams", Text()),
    Column("Role", "roles", Text()),
)

#: Columns that an export may have besides. An import leaves them.
READ_ONLY_COLUMNS = (
    Column("Role Type", "role_type", Text(), is_set=False),
    Column("Accepting Chats", "accepting_chats", Boolean(), is_set=False),
    Column("Active Chats", "active_chats", Integer(0, MAX_INTEGER), is_set=False),
    Column("Logged In", "logged_in", Boolean(), is_set=False),
    Column("Created At", "created_at", Text(), is_set=False),
    Column("Updated At", "updated_at", Text(), is_set=False),
)


def memberships_of_users() -> "Prefetch[Any]":
    """Return what reads the memberships of users, by one query, in the order of the cells."""
    memberships = Membership.objects.select_related("team").order_by("team__name", "team_id")
    return Prefetch("memberships", memberships)


def columns_of(definitions: Iterable[AttributeDefinition]) -> list[Column]:
    """Return all columns that an export may have; the read-only ones are the last."""
    attributes = [
        Column(
            f"{each.kind}:{each.name}", each.field, type_of(each), key=each.name, is_cleared=True
        )
        for each in definitions
    ]
    return [*COLUMNS, *attributes, *READ_ONLY_COLUMNS]
