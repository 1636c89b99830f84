"""Attribute types: one class per type, with how its values are validated, entered and described.

`type_of` returns the type of a definition. The user's plain fields use these types as well
(`users.changes`). A new type stands in `_TYPES` below, and besides in
`users.models.AttributeDefinition` (`Type`, `has_choices`, the constraint, so a migration) and in
`users.search` (its operators).
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.attributes import form_fields
from users.attributes.values import (
    MAX_INTEGER,
    MAX_LIST_LENGTH,
    MAX_STRING_LENGTH,
    json_type,
    length_error,
    string_error,
)

Schema = dict[str, Any]

_UNSET = "—"  # the form's label for an attribute without a value
_SEPARATOR, _ESCAPE = "|", "\\"


class Type:
    """The JSON values that an attribute accepts, how they are entered and how described."""

    def cleaned(self, value: Any) -> Any:
        """Return `value` normalized for storage."""
        return value

    def error(self, value: object) -> str | None:
        """Return an error message for a cleaned value, or None if it is valid."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """Return the OpenAPI schema of the accepted values."""
        raise NotImplementedError

    def form_field(self) -> forms.Field:
        """Return a form field whose cleaned value is the attribute's value, or None if unset."""
        raise NotImplementedError

    def as_text(self, value: Any) -> str:
        """Return `value` as text, as in a spreadsheet cell; `from_text` parses it back."""
        return str(value)

    def from_text(self, text: str) -> Any:
        """Return the value that `text` represents.

        Text that cannot be parsed is returned unchanged, for `error` to reject.
        """
        return text


@dataclass(frozen=True, slots=True)
class Text(Type):
    """A string of `min_length` to `max_length` code points."""

    min_length: int = 0
    max_length: int = MAX_STRING_LENGTH

    def error(self, value: object) -> str | None:
        return string_error(value) or length_error(str(value), self.min_length, self.max_length)

    def schema(self) -> Schema:
        return {"type": "string", "minLength": self.min_length, "maxLength": self.max_length}

    def form_field(self) -> forms.Field:
        return forms.CharField(strip=False, empty_value=None, max_length=self.max_length)


@dataclass(frozen=True, slots=True)
class TrimmedText(Text):
    """A string that is stripped of (Unicode) white space before its length is checked."""

    def cleaned(self, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Number(Type):
    """A finite double, or an integer that every JSON parser represents exactly."""

    def error(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return gettext("Must be a number, not %s.") % json_type(value)
        if isinstance(value, float) and not math.isfinite(value):
            return gettext("Must be a finite number that a double can hold.")
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            return gettext("Must be an integer within ±%d (2^53 - 1).") % MAX_INTEGER
        return None

    def schema(self) -> Schema:
        return {"type": "number"}

    def form_field(self) -> forms.Field:
        return form_fields.NumberField(self.from_text)

    def as_text(self, value: Any) -> str:
        return json.dumps(value)

    def from_text(self, text: str) -> Any:
        digits = text.removeprefix("-")
        # As in JSON, digits alone are an integer. int() rejects strings of thousands of digits.
        if digits.isdecimal() and len(digits) < 400:
            return int(text)
        try:
            return text if "_" in text else float(text)
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class Integer(Number):
    """An integer from `minimum` to `maximum`."""

    minimum: int
    maximum: int

    def error(self, value: object) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool):
            if self.minimum <= value <= self.maximum:
                return None
            bounds = {"min": self.minimum, "max": self.maximum}
            return gettext("Must be an integer from %(min)d to %(max)d.") % bounds
        if isinstance(value, float):
            return gettext("Must be an integer, not one with a fraction or an exponent.")
        return gettext("Must be an integer, not %s.") % json_type(value)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class Boolean(Type):
    """True or false."""

    _TEXTS: ClassVar[Mapping[str, bool]] = {"true": True, "yes": True, "false": False, "no": False}

    def error(self, value: object) -> str | None:
        if isinstance(value, bool):
            return None
        return gettext("Must be true or false, not %s.") % json_type(value)

    def schema(self) -> Schema:
        return {"type": "boolean"}

    def form_field(self) -> forms.Field:
        return forms.TypedChoiceField(
            choices=[("", _UNSET), (True, _("Yes")), (False, _("No"))],
            coerce=self.from_text,
            empty_value=None,
        )

    def as_text(self, value: Any) -> str:
        return json.dumps(value)

    def from_text(self, text: str) -> Any:
        return self._TEXTS.get(text.lower(), text)


@dataclass(frozen=True, slots=True)
class Choice(Type):
    """One of `choices`."""

    choices: Sequence[str]

    def error(self, value: object) -> str | None:
        if not isinstance(value, str):
            return gettext("Must be a string, not %s.") % json_type(value)
        if value not in self.choices:
            allowed = ", ".join(f"'{choice}'" for choice in self.choices)
            return gettext("Must be one of: %s.") % allowed
        return None

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.choices)}

    def form_field(self) -> forms.Field:
        options = [("", _UNSET), *((choice, choice) for choice in self.choices)]
        return form_fields.ChoiceField(choices=options, empty_value=None)


@dataclass(frozen=True, slots=True)
class MultipleChoice(Type):
    """A list of items from `choices`, without duplicates."""

    choices: Sequence[str]

    def error(self, value: object) -> str | None:
        if not isinstance(value, list):
            return gettext("Must be a list of strings, not %s.") % json_type(value)
        if error := _items_error(value, Choice(self.choices).error):
            return error
        if len(set(value)) < len(value):
            return gettext("Must not hold the same choice twice.")
        return None

    def schema(self) -> Schema:
        items = Choice(self.choices).schema()
        return {"type": "array", "items": items, "maxItems": MAX_LIST_LENGTH, "uniqueItems": True}

    def form_field(self) -> forms.Field:
        return form_fields.MultipleChoiceField(
            choices=[(choice, choice) for choice in self.choices],
            widget=forms.CheckboxSelectMultiple,
            empty_value=None,
        )

    def as_text(self, value: Any) -> str:
        return _SEPARATOR.join(
            item.replace(_ESCAPE, _ESCAPE * 2).replace(_SEPARATOR, _ESCAPE + _SEPARATOR)
            for item in value
        )

    def from_text(self, text: str) -> Any:
        items = [""] if text else []
        for token in re.findall(r"\\.|.", text, re.DOTALL):
            if token == _SEPARATOR:
                items.append("")
            else:
                items[-1] += token[-1]
        return items


@dataclass(frozen=True, slots=True)
class Scalar(Type):
    """A string, a number or a boolean: what a list of an undefined skill holds."""

    def error(self, value: object) -> str | None:
        return _scalar_error(value, _("Must be a string, a number or a boolean, not %s."))

    def schema(self) -> Schema:
        return {"oneOf": [type_.schema() for type_ in (Text(), Number(), Boolean())]}


@dataclass(frozen=True, slots=True)
class Undefined(Type):
    """The type of an undefined skill: a string, a number, a boolean, or a list of these."""

    def error(self, value: object) -> str | None:
        if isinstance(value, list):
            return _items_error(value, Scalar().error)
        return _scalar_error(
            value, _("Must be a string, a number, a boolean, or a list of these, not %s.")
        )

    def schema(self) -> Schema:
        items = {"type": "array", "items": Scalar().schema(), "maxItems": MAX_LIST_LENGTH}
        return {"oneOf": [*Scalar().schema()["oneOf"], items]}


def _scalar_error(value: object, wrong_type: Any) -> str | None:
    """Return an error message, which is `wrong_type % ...` for what is no scalar."""
    match value:
        case bool():
            return None
        case int() | float():
            return Number().error(value)
        case str():
            return Text().error(value)
    return str(wrong_type % json_type(value))


def _items_error(items: list[Any], item_error: Callable[[Any], str | None]) -> str | None:
    if len(items) > MAX_LIST_LENGTH:
        counts = {"max": MAX_LIST_LENGTH, "count": len(items)}
        return gettext("Must have at most %(max)d items, and has %(count)d.") % counts
    for number, item in enumerate(items, 1):
        if error := item_error(item):
            return gettext("Item %(number)d: %(error)s") % {"number": number, "error": error}
    return None


class Definition(Protocol):
    """The parts of an attribute definition that a type uses."""

    @property
    def type(self) -> str: ...

    @property
    def choices(self) -> Sequence[str]: ...


#: For each type name that a definition can store, what makes the type from its choices.
_TYPES: Mapping[str, Callable[[Sequence[str]], Type]] = {
    "text": lambda choices: Text(),
    "number": lambda choices: Number(),
    "boolean": lambda choices: Boolean(),
    "choice": Choice,
    "multiple_choice": MultipleChoice,
}


def type_of(definition: Definition) -> Type:
    """Return the type of `definition`."""
    return _TYPES[definition.type](definition.choices)
