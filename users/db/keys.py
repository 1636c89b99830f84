"""Primary keys: those in requests, which may be none at all, and those of many rows."""

from collections.abc import Iterable, Iterator
from typing import Any

#: A primary key that no row has.
NO_ROW = -1
_MAX = 2**63 - 1


def row_id(text: str) -> int:
    """Return the primary key in `text`, an unsigned integer in ASCII digits.

    Return `NO_ROW` if `text` cannot be a key. Look that up like any other key: an invalid id then
    gets the same answer as the id of a row that does not exist.
    """
    if not (text.isascii() and text.isdigit()):
        return NO_ROW
    digits = text.lstrip("0") or "0"
    return NO_ROW if len(digits) > len(str(_MAX)) else number_id(int(digits))


def number_id(number: int) -> int:
    """Return `number`, or `NO_ROW` if it cannot be a primary key."""
    return number if 0 <= number <= _MAX else NO_ROW


def in_parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield `values` in lists of 500, since databases limit the parameters of a statement."""
    listed = list(values)
    for start in range(0, len(listed), 500):
        yield listed[start : start + 500]
