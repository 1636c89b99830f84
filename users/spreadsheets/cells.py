"""What stands in a cell: texts that no program runs, and the letters of columns."""

import json
import re
from datetime import date, datetime, time
from typing import Any, TypeAlias

#: What a cell holds, in files that have types. None: it is empty.
Cell: TypeAlias = str | int | float | bool | None

#: In a cell, it clears the value. The text "-" is written as `'-`.
CLEAR = "-"

# What a spreadsheet program takes for the beginning of a formula: at the beginning of a cell, or
# after what could separate cells in its country or begin a row (OWASP, "CSV Injection").
_FORMULA = "=+\\-@＝＋－＠"  # noqa: RUF001 (full width, which some programs run too)
_RISKY = rf"(?:^'*(?=[{_FORMULA}\t\r\n])|(?<=[;\t\r\n])'*(?=[{_FORMULA}]))"
_PROTECT = re.compile(_RISKY)
_PROTECTED = re.compile(_RISKY.replace("'*", "'+"))


def protect(text: str) -> str:
    """Return `text` with an apostrophe before all that a spreadsheet program could run.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return _PROTECT.sub(lambda match: match[0] + "'", text)


def unprotect(text: str) -> str:
    """Return the text that `protect` made `text` from. Other apostrophes stay."""
    if "'" not in text:  # as most are, which need no search
        return text
    return _PROTECTED.sub(lambda match: match[0][:-1], text)


def as_text(value: Any) -> str:
    """Return what a typed cell holds as the text that stands in its place in a CSV file."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case int():
            return json.dumps(value)
        case datetime():
            is_day = value.time() == time()
            return value.date().isoformat() if is_day else value.isoformat()
        case date() | time():
            return value.isoformat()
    return str(value)


def letters(column: int) -> str:
    """Return the letters of a column, which is counted from 0: A to Z, AA, AB."""
    found = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        found = chr(ord("A") + letter) + found
    return found
