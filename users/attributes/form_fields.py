"""Form fields whose cleaned value is an attribute's, None for unset."""

import math
from collections.abc import Callable
from typing import Any

from django import forms


def normalize_line_breaks(text: str) -> str:
    """Return `text` with LF for each line break, for a browser sends CR LF, whatever it was."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class NumberField(forms.FloatField):
    """A JSON number: an integer stays one.

    from_text: what makes a number of text.
    """

    widget = forms.NumberInput(attrs={"step": "any"})

    def __init__(self, from_text: Callable[[str], Any], **options: Any) -> None:
        super().__init__(**options)
        self.from_text = from_text

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        # What no double holds is left to `validate()`, which an integer of its length would break.
        if number is None or not math.isfinite(number):
            return number
        return self.from_text(str(value).strip())


class ChoiceField(forms.TypedChoiceField):
    """One of the choices, also where it holds a line break, which browsers change."""

    def to_python(self, value: Any) -> Any:
        return _as_defined(super().to_python(value), self.choices)


class MultipleChoiceField(forms.TypedMultipleChoiceField):
    """Some of the choices, also where one holds a line break, which browsers change."""

    def to_python(self, value: Any) -> Any:
        return [_as_defined(text, self.choices) for text in super().to_python(value)]


def _as_defined(text: str, choices: Any) -> str:
    """Return the one of `choices` that a browser sent as `text`; `text` if there is none."""
    if "\r" not in text:
        return text
    sent = normalize_line_breaks(text)
    return next((key for key, _ in choices if normalize_line_breaks(key) == sent), text)
