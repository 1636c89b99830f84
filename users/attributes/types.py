"""The types of attributes: a class for each, with all that depends on the type.

A definition names one of them: `type_of`. The plain fields of a user have types too
(`users.changes`).
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django import forms
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

_UNSET = "—"  # how a form shows that an attribute has no value
_SEPARATOR, _ESCAPE = "|", "\\"


class Type:
    """The JSON values that an attribute takes, and how they are typed in and described."""

    def cleaned(self, value: Any) -> Any:
        """Return `value` as it is stored."""
        return value

    def error(self, value: object) -> str | None:
        """Return what is wrong with a cleaned value, as a message, or None."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """Return the OpenAPI schema of the values."""
        raise NotImplementedError

    def form_field(self) -> forms.Field:
        """Return a form field whose cleaned value is the attribute's, None for unset."""
        raise NotImplementedError

    def as_text(self, value: Any) -> str:
        """Return a value as text that `from_text` reads again, as a cell of a table holds it."""
        return str(value)

    def from_text(self, text: str) -> Any:
        """Return the value that `text` stands for.

        Text that stands for none is returned as it is, and `error` says what is wrong with it.
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
    """A string without white space around it, all of Unicode's; counted after that."""

    def cleaned(self, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Number(Type):
    """A finite double, or an integer that every JSON reader holds exactly."""

    def error(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"Must be a number, not {json_type(value)}."
        if isinstance(value, float) and not math.isfinite(value):
            return "Must be a finite number that a double can hold."
        if isinstance(value, int) and abs(value) > MAX_INTEGER:
            return f"Must be an integer within ±{MAX_INTEGER} (2^53 - 1)."
        return None

    def schema(self) -> Schema:
        return {"type": "number"}

    def form_field(self) -> forms.Field:
        return form_fields.NumberField(self.from_text)

    def as_text(self, value: Any) -> str:
        return json.dumps(value)

    def from_text(self, text: str) -> Any:
        digits = text.removeprefix("-")
        # As in JSON, digits alone are an integer; int() itself refuses thousands of them.
        if digits.isdecimal() and len(digits) < 400:
            return int(text)
        try:
            return float(text)
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class Boolean(Type):
    """True or false."""

    _TEXTS: ClassVar[Mapping[str, bool]] = {"true": True, "yes": True, "false": False, "no": False}

    def error(self, value: object) -> str | None:
        if isinstance(value, bool):
            return None
        return f"Must be true or false, not {json_type(value)}."

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
            return f"Must be a string, not {json_type(value)}."
        if value not in self.choices:
            allowed = ", ".join(f"'{choice}'" for choice in self.choices)
            return f"Must be one of: {allowed}."
        return None

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.choices)}

    def form_field(self) -> forms.Field:
        options = [("", _UNSET), *((choice, choice) for choice in self.choices)]
        return form_fields.ChoiceField(choices=options, empty_value=None)


@dataclass(frozen=True, slots=True)
class MultipleChoice(Type):
    """A list of distinct ones of `choices`."""

    choices: Sequence[str]

    def error(self, value: object) -> str | None:
        if not isinstance(value, list):
            return f"Must be a list of strings, not {json_type(value)}."
        if error := _items_error(value, Choice(self.choices).error):
            return error
        if len(set(value)) < len(value):
            return "Must not hold the same choice twice."
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
class Undefined(Type):
    """What an undefined skill takes: a string, a number, a boolean, or a list of these."""

    def error(self, value: object) -> str | None:
        if isinstance(value, list):
            allowed = "a string, a number or a boolean"
            return _items_error(value, lambda item: _scalar_error(item, allowed))
        return _scalar_error(value, "a string, a number, a boolean, or a list of these")

    def schema(self) -> Schema:
        scalars = [type_.schema() for type_ in (Text(), Number(), Boolean())]
        items = {"type": "array", "items": {"oneOf": scalars}, "maxItems": MAX_LIST_LENGTH}
        return {"oneOf": [*scalars, items]}


def _scalar_error(value: object, allowed: str) -> str | None:
    match value:
        case bool():
            return None
        case int() | float():
            return Number().error(value)
        case str():
            return Text().error(value)
    return f"Must be {allowed}, not {json_type(value)}."


def _items_error(items: list[Any], item_error: Callable[[Any], str | None]) -> str | None:
    if len(items) > MAX_LIST_LENGTH:
        return f"Must have at most {MAX_LIST_LENGTH} items, and has {len(items)}."
    for number, item in enumerate(items, 1):
        if error := item_error(item):
            return f"Item {number}: {error}"
    return None


class Definition(Protocol):
    """What a type needs to know of an attribute definition."""

    @property
    def type(self) -> str: ...

    @property
    def choices(self) -> Sequence[str]: ...


#: The type by the name that a definition stores, made of its choices.
_TYPES: Mapping[str, Callable[[Sequence[str]], Type]] = {
    "text": lambda choices: Text(),
    "number": lambda choices: Number(),
    "boolean": lambda choices: Boolean(),
    "choice": Choice,
    "multiple_choice": MultipleChoice,
}


def type_of(definition: Definition) -> Type:
    """Return the type that `definition` names."""
    return _TYPES[definition.type](definition.choices)
