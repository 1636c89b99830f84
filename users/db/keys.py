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
    if len(digits) > len(str(_MAX)) or int(digits) > _MAX:
        return NO_ROW
    return int(digits)


def in_parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield `values` in lists of 500, since databases limit the parameters of a statement."""
    listed = list(values)
    for start in range(0, len(listed), 500):
        yield listed[start : start + 500]
