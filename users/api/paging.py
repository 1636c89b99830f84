"""Pages of a list: the query parameters `page_size` and `after`, and the cursors of the latter."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.signing import BadSignature, Signer
from rest_framework.request import Request

from users.api import query, status_codes
from users.api.envelope import ApiError
from users.db.keys import row_id

MAX_SIZE = 100
DEFAULT_SIZE = 10
PARAMETERS = ("page_size", "after")

Place = TypeVar("Place")


class InvalidCursorError(Exception):
    """The value of `after` is not valid; the message says what to do."""


class Cursors:
    """The cursors of one call: opaque to the caller, and signed.

    list_of: what is listed. A cursor of another list is not valid.
    """

    def __init__(self, *list_of: object) -> None:
        self.signer = Signer(salt=":".join(["users.cursor", *map(str, list_of)]))

    def encode(self, *place: int | str) -> str:
        return self.signer.sign_object(place)

    def decode(self, cursor: str) -> tuple[Any, ...]:
        try:
            return tuple(self.signer.unsign_object(cursor))
        except BadSignature as error:
            message = "Is not a cursor of this list. Leave it out to start from the beginning."
            raise InvalidCursorError(message) from error


def read_query(request: Request, find_place: Callable[[str], Place]) -> tuple[int, Place | None]:
    """Return the size of the page, and the place that it comes after (None: the beginning).

    find_place: returns the place of the value of `after`, or raises `InvalidCursorError`.

    Raises `ApiError` with all errors in the query.
    """
    values, errors = query.read(request, PARAMETERS)
    size = read_size(values, errors)
    place = None
    if "after" in values:
        try:
            place = find_place(values["after"])
        except InvalidCursorError as error:
            errors.setdefault("after", [str(error)])
    if errors:
        raise ApiError(status_codes.INVALID_REQUEST, errors)
    return size, place


def read_size(values: Mapping[str, str], errors: dict[str, list[str]]) -> int:
    """Return the size of the page that the query parameters ask for; add an error to `errors`."""
    size = row_id(values["page_size"]) if "page_size" in values else DEFAULT_SIZE
    if not 1 <= size <= MAX_SIZE:
        errors.setdefault("page_size", [f"Must be an integer from 1 to {MAX_SIZE}."])
        return DEFAULT_SIZE
    return size
