"""A form that detects concurrent changes by the values that its page showed.

Django's `show_hidden_initial` adds a hidden input per field, and with hundreds of fields, a request
would have more than Django accepts (`DATA_UPLOAD_MAX_NUMBER_FIELDS`). Here, all values are in one.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from django import forms
from django.core.exceptions import ValidationError
from django.utils.choices import flatten_choices
from django.utils.functional import cached_property
from django.utils.translation import gettext

from users.attributes.form_fields import LinesInput, has_line_breaks, normalize_line_breaks

#: A field's value as submitted by its input; a list if it has several inputs.
Shown: TypeAlias = str | list[str]


class ShownValuesForm(forms.ModelForm):
    """Changes only the fields that the user of the form has edited.

    If the value of such a field was changed meanwhile, it asks before overwriting it: saving again
    confirms. The template has to submit `shown_values_json` as `_shown_values`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._show_line_breaks()

    def _show_line_breaks(self) -> None:
        """Use text areas for texts with line breaks, which browsers take out of a single line."""
        for name, field in self.fields.items():
            if has_line_breaks(self.initial.get(name)) and type(field) is forms.CharField:
                field.widget = LinesInput(attrs={**field.widget.attrs, "rows": 4})

    @cached_property
    def stored_values(self) -> dict[str, Shown]:
        """The fields' values as stored now."""
        return {
            name: _shown(self[name])
            for name, field in self.fields.items()
            if not (field.disabled or field.widget.is_hidden or field.widget.needs_multipart_form)
        }

    @cached_property
    def shown_values(self) -> dict[str, Shown]:
        """The fields' values that the page showed."""
        sent = self._sent_shown_values() if self.is_bound else None
        if sent is None:
            return dict(self.stored_values)
        return {
            name: sent[name]
            for name, stored in self.stored_values.items()
            if _is_like(sent.get(name), stored)
        }

    def _sent_shown_values(self) -> dict[str, Any] | None:
        """Return what the page showed, as the request says; None where it says nothing."""
        sent = self.data.get("_shown_values")
        if sent is None:
            return None
        try:
            values = json.loads(sent)
        except (ValueError, RecursionError):
            values = None
        return values if isinstance(values, dict) else {}

    def _show(self, name: str, value: Shown) -> None:
        """Have the page say, when it is shown again, that it showed `value`."""
        self.shown_values[name] = value

    @property
    def shown_values_json(self) -> str:
        return json.dumps(self.shown_values)

    def enter(self, values: Mapping[str, Any]) -> list[str]:
        """Fill in `values`, by field name, as if the operator had entered them on the page.

        Return the names of those that are not stored already.
        """
        self.shown_values = dict(self.stored_values)  # what it is compared with
        self.initial |= values
        self._bound_fields_cache.clear()
        return [name for name in values if _shown(self[name]) != self.shown_values.get(name)]

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in self.fields if self._is_changed(name)]

    def _is_changed(self, name: str) -> bool:
        bound = self[name]
        if name not in self.stored_values:
            return bound.field.has_changed(bound.initial, bound.data)
        # A field that the page did not show cannot have been edited.
        return name in self.shown_values and _differs(bound, self.shown_values[name])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk is None:
            return cleaned
        # An unchanged value is not validated, so that an old invalid one does not prevent saving.
        for name in set(self.errors) & set(self.stored_values) - set(self.changed_data):
            del self.errors[name]
        self._ask_before_overwriting()
        return cleaned

    def _clean_form(self) -> None:
        django: Any = super()
        django._clean_form()
        # Other fields are not saved: somebody else may have changed them meanwhile.
        if self.instance.pk is not None:
            changed = set(self.changed_data)
            self.cleaned_data = {n: v for n, v in self.cleaned_data.items() if n in changed}

    def _get_validation_exclusions(self) -> set[str]:
        django: Any = super()
        unchanged = set(self.fields) - set(self.changed_data)
        return django._get_validation_exclusions() | (unchanged if self.instance.pk else set())

    @property
    def changed_columns(self) -> list[str]:
        """The names of the instance's fields to save."""
        fields = (field.name for field in self.instance._meta.concrete_fields)
        return [name for name in fields if name in self.cleaned_data]

    def _ask_before_overwriting(self) -> None:
        for name in set(self.changed_data) & set(self.shown_values) - set(self.errors):
            bound, stored = self[name], self.stored_values[name]
            if self.shown_values[name] == stored or not _differs(bound, stored):
                continue
            self._show(name, stored)
            self.add_error(
                name,
                gettext(
                    "Since you opened this page, this was changed to “%(stored)s”. You entered "
                    "“%(entered)s”. Save again to overwrite the change."
                )
                % {"stored": _as_text(bound, stored), "entered": _as_text(bound, bound.data)},
            )


class ShownInRowForm(ShownValuesForm):
    """The form of a row, whose template is Django's: what it showed is a hidden input a field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = not field.widget.is_hidden
            # The labels are the heads of columns, which name no input.
            field.widget.attrs.setdefault("aria-label", str(field.label or ""))

    def _sent_shown_values(self) -> dict[str, Any] | None:
        names = {name: self.add_initial_prefix(name) for name in self.stored_values}
        return {name: self.data[sent] for name, sent in names.items() if sent in self.data} or None

    def _show(self, name: str, value: Shown) -> None:
        super()._show(name, value)
        self.data = self.data.copy()
        self.data[self.add_initial_prefix(name)] = value


def _shown(bound: forms.BoundField) -> Shown:
    widget = bound.field.hidden_widget()
    value = bound.field.prepare_value(bound.initial)
    context = widget.get_context("", value, {})["widget"]
    texts = [
        "" if each["value"] is None else str(each["value"])
        for each in context.get("subwidgets", [context])
    ]
    if isinstance(widget, forms.MultipleHiddenInput):
        return sorted(texts)
    return texts if isinstance(widget, forms.MultiWidget) else texts[0]


def _is_like(value: Any, stored: Shown) -> bool:
    if isinstance(stored, str):
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _differs(bound: forms.BoundField, shown: Shown) -> bool:
    """Return True if the submitted value of a field differs from `shown`."""
    field: Any = bound.field
    data = bound.data
    is_single_line = isinstance(field.widget, forms.widgets.Input)
    if _is_sent_as(data, shown, single_line=is_single_line):
        return False
    # Keys are compared as text, because looking them up would take a query for each.
    is_keys = isinstance(bound.field, forms.ModelChoiceField)
    try:
        return field.has_changed(shown if is_keys else field.to_python(shown), data)
    except ValidationError:
        return True


def _is_sent_as(data: Any, shown: Shown, *, single_line: bool) -> bool:
    """Return True if a browser submits `data` when `shown` was not edited.

    Browsers remove line breaks from single-line inputs, and submit others as CR LF.
    """
    if isinstance(shown, list):
        return isinstance(data, list) and _sorted(data) == _sorted(shown)
    if not isinstance(data, str):
        return False
    if normalize_line_breaks(data) == normalize_line_breaks(shown):
        return True
    return single_line and data == shown.replace("\r", "").replace("\n", "")


def _sorted(texts: list[Any]) -> list[str]:
    return sorted(normalize_line_breaks(str(text)) for text in texts)


def _as_text(bound: forms.BoundField, value: Any) -> str:
    """Return a field's value formatted for people."""
    if isinstance(bound.field, forms.BooleanField):
        return gettext("yes") if bound.field.to_python(value) else gettext("no")
    choices: Any = flatten_choices(getattr(bound.field, "choices", ()))
    labels = {str(key): str(label) for key, label in choices}
    values = value if isinstance(value, list | tuple) else [value]
    texts = [labels.get(str(each), str(each)) for each in values if each not in (None, "")]
    # A page shows line breaks as spaces.
    return normalize_line_breaks(", ".join(texts)).replace("\n", " ↵ ") or "—"
