"""Primary keys as they arrive from outside: texts that may name no row at all."""

#: The key that no row has.
NO_ROW = -1
_MAX = 2**63 - 1


def row_id(text: str) -> int:
    """Return the primary key that `text`, an unsigned integer in ASCII digits, names.

    `NO_ROW` stands for all that no row can have: it is looked up like any other, so that the
    answer to it is the answer to a row that is not there.
    """
    if not (text.isascii() and text.isdigit()):
        return NO_ROW
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(_MAX)) or int(digits) > _MAX:
        return NO_ROW
    return int(digits)
