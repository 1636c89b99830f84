"""JSON values: how they compare, merge and are read, and what every one of them must keep to.

No database, no HTTP. Errors are messages in English, as the API gives them.
"""

import json
from typing import Any, TypeAlias

from django.utils.translation import gettext

MAX_KEYS = 100
MAX_KEY_LENGTH = 64
MAX_STRING_LENGTH = 255
MAX_LIST_LENGTH = 50
MAX_CHOICES = 1000
# The integers that every JSON reader holds exactly (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1

Attributes: TypeAlias = dict[str, Any]


class JSONDecoder(json.JSONDecoder):
    """Reads integers beyond ±(2^53 - 1) as doubles.

    PostgreSQL's jsonb writes the double 1e300 with all its 301 digits: read as an integer, it would
    no longer equal the number that was stored.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(parse_int=_parse_int, **options)


def _parse_int(digits: str) -> int | float:
    # The length first: int() refuses thousands of digits, and they are no safe integer anyway.
    if len(digits) <= 17 and abs(number := int(digits)) <= MAX_INTEGER:
        return number
    return float(digits)


def same(one: object, other: object) -> bool:
    """Return True if two JSON values are equal; unlike in Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def merge(stored: Attributes, patch: Attributes) -> Attributes:
    """Return `stored` with `patch` merged into it, as in RFC 7396; neither is changed.

    An object that replaces another kind of value keeps its nulls, where the RFC would strip them:
    no attribute may be an object, so that it is refused either way.
    """
    merged = dict(stored)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def json_type(value: object) -> str:
    """Return the JSON type of a decoded value, with its article: "a string", "null"."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case dict():
            return "an object"
        case list():
            return "a list"
    return f"a {type(value).__name__}"


def string_error(value: object) -> str | None:
    """Return why `value` is no string that every database stores, or None."""
    if not isinstance(value, str):
        return f"Must be a string, not {json_type(value)}."
    if "\0" in value:
        return "Must not contain the character U+0000."
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "Must not contain a lone surrogate."
    return None


def length_error(text: str, minimum: int, maximum: int) -> str | None:
    """Return what is wrong with the length of `text`, in code points, or None."""
    if minimum <= len(text) <= maximum:
        return None
    allowed = f"{minimum} to {maximum}" if minimum else f"at most {maximum}"
    return f"Must have {allowed} characters, and has {len(text)}."


def key_error(key: str) -> str | None:
    """Return what is wrong with `key` as the name of an attribute, or None."""
    error = string_error(key) or length_error(key, 1, MAX_KEY_LENGTH)
    return error and error.replace("Must", "The key must", 1)


def readable(value: object) -> str:
    """Return an attribute's value as a person reads it: "Banking", "en, de", "yes"."""
    match value:
        case bool():
            return gettext("yes") if value else gettext("no")
        case str():
            return value
        case list():
            return ", ".join(map(readable, value))
    return json.dumps(value, ensure_ascii=False)
