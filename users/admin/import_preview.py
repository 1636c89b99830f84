"""What an import would do, as it is shown, and as the browser keeps it until it is confirmed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from django.core import signing
from django.utils.translation import gettext

from users.spreadsheets.cells import letters
from users.spreadsheets.imports import Importer
from users.spreadsheets.plans import CellError, Difference, Plan
from users.spreadsheets.reading import Row

_SALT = "users.admin.import"
_MAX_AGE = 60 * 60  # seconds


class ShownError(NamedTuple):
    """An error and its cell, such as "C7"; empty where it is no single cell."""

    cell: str
    message: str


@dataclass(frozen=True)
class ShownRow:
    """A row of the preview."""

    number: int
    user: str
    action: str
    differences: Sequence[Difference]
    errors: Sequence[ShownError]


def shown_row(plan: Plan) -> ShownRow:
    names = (plan.text("login_id"), plan.text("email_id"), plan.text("id"))
    user = str(plan.user) if plan.user is not None else next(filter(None, names), "")
    if plan.errors:
        action = gettext("refused")
    else:
        action = gettext("new") if plan.is_new else gettext("changed")
    errors = [
        ShownError("" if column is None else f"{letters(column)}{plan.number}", message)
        for column, message in plan.errors
    ]
    differences = () if plan.errors else tuple(plan.differences)
    return ShownRow(plan.number, user, action, differences, errors)


@dataclass(frozen=True)
class Confirmation:
    """The rows that are right, and what they were planned for.

    actor: the id of who has seen the preview, and alone may confirm it.
    header: the first row of the file.
    rows: each with its number, the version of its user (`Importer.version`), and its cells.
    team, invites: as chosen with the file.
    needs_all: True if all rows are to be imported, or none.
    """

    actor: Any
    header: list[str]
    rows: list[tuple[int, str, list[str]]]
    team: int | None
    invites: bool
    needs_all: bool

    def signed(self) -> str:
        """Return it as a text that cannot be forged."""
        return signing.dumps(asdict(self), salt=_SALT, compress=True)

    @classmethod
    def read(cls, text: str, actor: Any) -> "Confirmation | None":
        """Return what `signed` made `text` of; None if it is none, too old, or of another actor."""
        try:
            found = cls(**signing.loads(text, salt=_SALT, max_age=_MAX_AGE))
        except (signing.BadSignature, TypeError):
            return None
        return found if found.actor == actor else None

    @property
    def file_rows(self) -> list[Row]:
        return [(number, cells) for number, _, cells in self.rows]


def planned_rows(importer: Importer, plans: Iterable[Plan]) -> list[tuple[int, str, list[str]]]:
    """Return the rows of the plans that do something, for a `Confirmation`."""
    return [
        (plan.number, importer.version(plan), list(plan.cells))
        for plan in plans
        if plan.does_something
    ]


def refuse_changed(importer: Importer, plans: Iterable[Plan], confirmation: Confirmation) -> None:
    """Refuse the plans that are not what was shown, since the user was changed meanwhile."""
    versions = {number: version for number, version, _ in confirmation.rows}
    for plan in plans:
        if plan.errors or importer.version(plan) == versions[plan.number]:
            continue
        created = gettext("This user was created after the preview.")
        changed = gettext("This user was changed after the preview: upload the file again.")
        plan.errors.append(CellError(None, changed if versions[plan.number] else created))
