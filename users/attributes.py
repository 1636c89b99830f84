"""What an attribute's value may be.

One judge for every door: the call, the admin site and `full_clean()`. Pure: no database, and
every error is collected, in the shape in which the API reports it.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MAX_KEYS = 100
MAX_KEY_LENGTH = 64
MAX_STRING_LENGTH = 255
MAX_LIST_LENGTH = 50
MAX_CHOICES = 1000
MAX_NAMES_LISTED = 20  # of definitions, in an error
# The integers that every JSON reader holds exactly (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1

Attributes: TypeAlias = dict[str, Any]
#: Sentences for each attribute; or a list of sentences, where the object as a whole is wrong.
Errors: TypeAlias = dict[str, list[str]] | list[str]


class Definition(Protocol):
    """What the judge needs to know of an attribute definition."""

    @property
    def type(self) -> str: ...

    @property
    def choices(self) -> Sequence[str]: ...


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
    """Whether two JSON values are the same value; unlike Python's `==`, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def merge(stored: Attributes, patch: Attributes) -> Attributes:
    """Return `stored` with `patch` merged into it, as in RFC 7396; neither is changed.

    An object that takes the place of something else is taken over with its nulls, where the RFC
    would strip them: no attribute may be an object, so that the judge refuses it either way.
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


def judge(
    stored: Attributes,
    wanted: Attributes,
    definitions: Mapping[str, Definition],
    *,
    undefined_allowed: bool,
) -> Errors:
    """Judge the change of one attribute object from `stored` to `wanted`.

    Only what the change brings is judged: a value that is as it was stored stays unjudged.

    `definitions` are those of the object's kind, by name; `undefined_allowed` says whether keys
    without a definition are taken (skills) or not (custom attributes).

    Returns the errors, empty where there are none. Errors of attributes come by attribute; where
    the object as a whole is wrong too, all of them come as one list.
    """
    errors: dict[str, list[str]] = {}
    undefined = _undefined_errors(definitions)
    for key, value in wanted.items():
        if key in stored and same(stored[key], value):
            continue
        if definition := definitions.get(key):
            sentence = value_error(value, definition)
        elif undefined_allowed:
            sentence = key_error(key) or _undefined_value_error(value)
        else:
            sentence = key_error(key) or next(undefined)
        if sentence:
            errors[key] = [sentence]
    if len(wanted) > max(MAX_KEYS, len(stored)):
        return [
            f"Must have at most {MAX_KEYS} attributes, and would have {len(wanted)}.",
            *flat(errors),
        ]
    return errors


def _undefined_errors(definitions: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with each attribute that nobody defined; the first names the defined."""
    sentence = "Nobody has defined this attribute."
    if names := sorted(definitions):
        listed = ", ".join(f"'{name}'" for name in names[:MAX_NAMES_LISTED])
        more = len(names) - MAX_NAMES_LISTED
        yield f"{sentence} Defined are: {listed}{f', and {more} more' if more > 0 else ''}."
    yield from repeat(sentence)


def flat(errors: Errors) -> list[str]:
    """Return `errors` as one list of sentences, each naming its attribute."""
    if isinstance(errors, list):
        return errors
    return [f"'{key}': {sentence}" for key, sentences in errors.items() for sentence in sentences]


def form_field(definition: Definition, **options: Any) -> forms.Field:
    """Return a form field for the values of `definition`, with `options` set on it."""
    field = TYPES[definition.type].form_field(definition.choices)
    for name, value in {"required": False, **options}.items():
        setattr(field, name, value)
    return field


def unallowed(stored: Attributes, definitions: Mapping[str, Definition]) -> dict[str, str | None]:
    """Return the keys in `stored` that `definitions` do not allow, each with what is wrong.

    None stands for what nobody defined.
    """
    found: dict[str, str | None] = {}
    for key, value in stored.items():
        if key not in definitions:
            found[key] = None
        elif sentence := value_error(value, definitions[key]):
            found[key] = sentence
    return found


def value_error(value: object, definition: Definition) -> str | None:
    """Return what is wrong with `value` under `definition`, as a sentence, or None."""
    return TYPES[definition.type].check(value, definition.choices)


def string_error(value: object) -> str | None:
    """Return what makes `value` no string that can be stored, as a sentence, or None."""
    if not isinstance(value, str):
        return f"Must be a string, not {json_type(value)}."
    if "\0" in value:
        return "Must not contain the character U+0000."
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "Must not contain a lone surrogate."
    return None


def length_error(text: str, minimum: int, maximum: int) -> str | None:
    """Return what is wrong with the length of `text`, in code points, as a sentence, or None."""
    if minimum <= len(text) <= maximum:
        return None
    allowed = f"{minimum} to {maximum}" if minimum else f"at most {maximum}"
    return f"Must have {allowed} characters, and has {len(text)}."


def as_text(value: object) -> str:
    """Return an attribute's value as a person reads it: "Banking", "en, de", "yes"."""
    match value:
        case bool():
            return gettext("yes") if value else gettext("no")
        case str():
            return value
        case list():
            return ", ".join(map(as_text, value))
    return json.dumps(value, ensure_ascii=False)


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


def key_error(key: str) -> str | None:
    """Return what is wrong with `key` as the name of an attribute, as a sentence, or None."""
    sentence = string_error(key) or length_error(key, 1, MAX_KEY_LENGTH)
    return sentence and sentence.replace("Must", "The key must", 1)


def _text_error(value: object, choices: Iterable[str] = ()) -> str | None:
    return string_error(value) or length_error(cast("str", value), 0, MAX_STRING_LENGTH)


def _number_error(value: object, choices: Iterable[str] = ()) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"Must be a number, not {json_type(value)}."
    if isinstance(value, float) and not math.isfinite(value):
        return "Must be a finite number that a double can hold."
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return "Must be an integer within ±9007199254740991 (2^53 - 1)."
    return None


def boolean_error(value: object, choices: Iterable[str] = ()) -> str | None:
    return None if isinstance(value, bool) else f"Must be true or false, not {json_type(value)}."


def choice_error(value: object, choices: Iterable[str]) -> str | None:
    if not isinstance(value, str):
        return f"Must be a string, not {json_type(value)}."
    if value not in choices:
        allowed = ", ".join(f"'{choice}'" for choice in choices)
        return f"Must be one of: {allowed}."
    return None


def _multiple_choice_error(value: object, choices: Iterable[str]) -> str | None:
    if not isinstance(value, list):
        return f"Must be a list of strings, not {json_type(value)}."
    if len(value) > MAX_LIST_LENGTH:
        return f"Must have at most {MAX_LIST_LENGTH} items, and has {len(value)}."
    for number, item in enumerate(value, 1):
        if sentence := choice_error(item, choices):
            return f"Item {number}: {sentence}"
    if len(set(value)) < len(value):
        return "Must not hold the same choice twice."
    return None


def _undefined_value_error(value: object) -> str | None:
    if not isinstance(value, list):
        return _scalar_error(value, "a string, a number, a boolean, or a list of these")
    if len(value) > MAX_LIST_LENGTH:
        return f"Must have at most {MAX_LIST_LENGTH} items, and has {len(value)}."
    for number, item in enumerate(value, 1):
        if sentence := _scalar_error(item, "a string, a number or a boolean"):
            return f"Item {number}: {sentence}"
    return None


def _scalar_error(value: object, allowed: str) -> str | None:
    match value:
        case bool():
            return None
        case int() | float():
            return _number_error(value)
        case str():
            return _text_error(value)
    return f"Must be {allowed}, not {json_type(value)}."


def _parse_typed_number(text: str) -> int | float:
    # As JSON has it: digits alone are an integer, whose bounds the check then names.
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and len(digits) < 400 else float(text)


class NumberField(forms.FloatField):
    """A form field for a JSON number: an integer stays one."""

    widget = forms.NumberInput(attrs={"step": "any"})

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        # What no double holds is left to `validate()`, which an integer of its length would break.
        if number is None or not math.isfinite(number):
            return number
        return _parse_typed_number(str(value).strip())


def _text_field(choices: Sequence[str]) -> forms.Field:
    return forms.CharField(strip=False, empty_value=None, max_length=MAX_STRING_LENGTH)


def _number_field(choices: Sequence[str]) -> forms.Field:
    return NumberField()


def _boolean_field(choices: Sequence[str]) -> forms.Field:
    return forms.TypedChoiceField(
        choices=[("", _UNSET), (True, _("Yes")), (False, _("No"))],
        coerce=lambda text: text == "True",
        empty_value=None,
    )


def normalize_line_breaks(text: str) -> str:
    """Return `text` with LF for each line break, for a browser sends CR LF, whatever it was."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _as_defined(text: str, choices: Any) -> str:
    """Return the one of `choices` that a browser sent as `text`; `text` if there is none."""
    if "\r" not in text:
        return text
    sent = normalize_line_breaks(text)
    return next((key for key, _ in choices if normalize_line_breaks(key) == sent), text)


class ChoiceField(forms.TypedChoiceField):
    def to_python(self, value: Any) -> Any:
        return _as_defined(super().to_python(value), self.choices)


class MultipleChoiceField(forms.TypedMultipleChoiceField):
    def to_python(self, value: Any) -> Any:
        return [_as_defined(text, self.choices) for text in super().to_python(value)]


def _choice_field(choices: Sequence[str]) -> forms.Field:
    options = [("", _UNSET), *((choice, choice) for choice in choices)]
    return ChoiceField(choices=options, empty_value=None)


def _multiple_choice_field(choices: Sequence[str]) -> forms.Field:
    return MultipleChoiceField(
        choices=[(choice, choice) for choice in choices],
        widget=forms.CheckboxSelectMultiple,
        empty_value=None,
    )


_UNSET = "—"


class Type(NamedTuple):
    """What a type of definition makes of its values.

    check: (value, choices) to what is wrong, as a sentence, or None.
    form_field: (choices) to a form field whose cleaned value is the attribute's, None for unset.
    """

    check: Callable[[object, Iterable[str]], str | None]
    form_field: Callable[[Sequence[str]], forms.Field]


#: The types, by the name that a definition stores.
TYPES = {
    "text": Type(_text_error, _text_field),
    "number": Type(_number_error, _number_field),
    "boolean": Type(boolean_error, _boolean_field),
    "choice": Type(choice_error, _choice_field),
    "multiple_choice": Type(_multiple_choice_error, _multiple_choice_field),
}
