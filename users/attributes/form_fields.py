"""Form fields for attributes; the cleaned value is the attribute's value, or None if unset."""

import math
from collections.abc import Callable
from typing import Any

from django import forms


def normalize_line_breaks(text: str) -> str:
    """Return `text` with LF line breaks. Browsers submit CR LF, whatever the page contained."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def has_line_breaks(value: object) -> bool:
    """Return True if `value` is a string that a single-line input cannot show."""
    return isinstance(value, str) and ("\n" in value or "\r" in value)


class LinesInput(forms.Textarea):
    """A text area whose text has LF line breaks."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        return normalize_line_breaks(text) if isinstance(text, str) else text


class NumberField(forms.FloatField):
    """A float field that keeps integers as integers.

    from_text: parses the submitted text.
    """

    widget = forms.NumberInput(attrs={"step": "any"})

    def __init__(self, from_text: Callable[[str], Any], **options: Any) -> None:
        super().__init__(**options)
        self.from_text = from_text

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        # `validate()` rejects infinity, but would raise OverflowError for so long an integer.
        if number is None or not math.isfinite(number):
            return number
        found = self.from_text(str(value).strip())
        if isinstance(found, str):  # which Python takes for a number, and no one else
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found


class ChoiceField(forms.TypedChoiceField):
    """A choice field that recognizes a choice although the browser changed its line breaks."""

    def to_python(self, value: Any) -> Any:
        return as_defined(super().to_python(value), self.choices)


class MultipleChoiceField(forms.TypedMultipleChoiceField):
    """Like `ChoiceField`, for several choices."""

    def to_python(self, value: Any) -> Any:
        return [as_defined(text, self.choices) for text in super().to_python(value)]


def as_defined(text: str, choices: Any) -> str:
    """Return the choice that a browser submitted as `text`, or `text` if there is none."""
    if "\r" not in text:
        return text
    sent = normalize_line_breaks(text)
    return next((key for key, _ in choices if normalize_line_breaks(key) == sent), text)
