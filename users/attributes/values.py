"""JSON values: comparing, merging and decoding them, and the limits that apply to all.

No database, no HTTP. Error messages are in the active language; the API's calls activate none, so
theirs are in English.
"""

import json
import math
import re
import sys
from typing import Any, TypeAlias

from django.utils.formats import number_format
from django.utils.translation import gettext

MAX_KEYS = 100
MAX_KEY_LENGTH = 64
MAX_STRING_LENGTH = 255
MAX_LIST_LENGTH = 50
MAX_CHOICES = 1000
MAX_DEFINITIONS = 500  # of a kind
# The largest integer that every JSON parser represents exactly (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1

_SURROGATE = re.compile("[\ud800-\udfff]")

Attributes: TypeAlias = dict[str, Any]


class JSONDecoder(json.JSONDecoder):
    """Decodes integers beyond ±(2^53 - 1) as doubles.

    PostgreSQL's jsonb returns the double 1e300 as an integer of 301 digits. Decoded as an int, it
    would not equal the number that was stored.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(parse_int=_parse_int, parse_float=_parse_float, **options)

    def decode(self, text: str, *args: Any) -> Any:
        value = super().decode(text, *args)
        if "\\ud" not in text:
            return value
        # SQLite stores lone surrogates, escaped. No page could be sent with one.
        sendable = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
        return super().decode(sendable)


class ChoicesDecoder(JSONDecoder):
    """Decodes a definition's choices: distinct strings, whatever else is stored."""

    def decode(self, text: str, *args: Any) -> Any:
        stored = super().decode(text, *args)
        if not isinstance(stored, list):
            return stored
        return list(dict.fromkeys(choice for choice in stored if isinstance(choice, str)))


def _parse_int(digits: str) -> int | float:
    # Check the length first: int() rejects strings of thousands of digits.
    if len(digits) <= 17 and abs(number := int(digits)) <= MAX_INTEGER:
        return number
    return _parse_float(digits)


def _parse_float(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else math.copysign(sys.float_info.max, number)


def same(one: object, other: object) -> bool:
    """Return True if two JSON values are equal. Unlike in Python, true does not equal 1."""
    if one is other:
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def canonical(value: object) -> object:
    """Return a JSON value in which every number that is an integer is an int.

    Two values that are the same, as `same` has it, then have the same JSON text with sorted keys.
    """
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, float) and abs(value) <= MAX_INTEGER and value.is_integer():
        return int(value)
    return value


def merge(stored: Attributes, patch: Attributes) -> Attributes:
    """Return `stored` with `patch` merged into it (RFC 7396). Neither argument is modified.

    An object that replaces another kind of value keeps its nulls, which the RFC would strip: no
    attribute may be an object, so it is rejected either way.
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
            return gettext("a boolean")
        case int() | float():
            return gettext("a number")
        case str():
            return gettext("a string")
        case dict():
            return gettext("an object")
        case list():
            return gettext("a list")
    return f"a {type(value).__name__}"


def string_error(value: object) -> str | None:
    """Return an error message unless `value` is a string that every database can store."""
    if not isinstance(value, str):
        return gettext("Must be a string, not %s.") % json_type(value)
    if "\0" in value:
        return gettext("Must not contain the character U+0000.")
    if _has_surrogate(value):
        return gettext("Must not contain a lone surrogate.")
    return None


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def storage_error(value: object) -> str | None:
    """Return an error message if a string or number within `value` is one no database can store."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                if error := string_error(text):
                    return error
            case dict() as items:
                left += [*items.keys(), *items.values()]
            case list() as items:
                left += items
            case int() | float() as number:
                if not _is_finite(number):
                    return gettext("Must be a finite number that a double can hold.")
    return None


def _is_finite(number: float) -> bool:
    """Return True if a double can hold `number`."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def length_error(text: str, minimum: int, maximum: int) -> str | None:
    """Return an error message if `text` has too few or too many code points."""
    if minimum <= len(text) <= maximum:
        return None
    message = (
        gettext("Must have %(min)d to %(max)d characters, and has %(count)d.")
        if minimum
        else gettext("Must have at most %(max)d characters, and has %(count)d.")
    )
    return message % {"min": minimum, "max": maximum, "count": len(text)}


def key_error(key: str) -> str | None:
    """Return an error message if `key` cannot be the name of an attribute."""
    if not isinstance(key, str):
        return string_error(key)
    if "\0" in key:
        return gettext("The key must not contain the character U+0000.")
    if _has_surrogate(key):
        return gettext("The key must not contain a lone surrogate.")
    if 1 <= len(key) <= MAX_KEY_LENGTH:
        return None
    message = gettext("The key must have 1 to %(max)d characters, and has %(count)d.")
    return message % {"max": MAX_KEY_LENGTH, "count": len(key)}


def readable(value: object) -> str:
    """Return an attribute's value for people, in the active language: "en, de", "yes", "2.5"."""
    match value:
        case bool():
            return gettext("yes") if value else gettext("no")
        case int() | float():
            return number_format(value)
        case str():
            return value
        case list():
            return ", ".join(map(readable, value))
    return json.dumps(value, ensure_ascii=False)
