"""The form of an attribute definition."""

import json
import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users.admin.shown_values import ShownValuesForm
from users.attributes.types import type_of
from users.models import AttributeDefinition, count_choices, count_values


class ChoicesField(forms.CharField):
    """A list of strings, edited as one line per string.

    A string with line breaks or outer spaces is written as JSON, in quotes.
    """

    widget = forms.Textarea(attrs={"rows": 8, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_line, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        # Not `splitlines()`, which also splits at other characters.
        lines = map(str.strip, re.split(r"\r\n|\r|\n", super().to_python(value) or ""))
        return [_choice(line) for line in lines if line]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)


def _line(choice: Any) -> str:
    """Return the line for `choice`, which `_choice` parses."""
    text = str(choice)
    is_plain = text == text.strip() == _choice(text) and not re.search(r"[\r\n]", text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _choice(line: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        return str(json.loads(line))
    except ValueError:
        return line


class LabelsField(forms.CharField):
    """Labels by language, edited as one line per label.

    "de: label" is the attribute's, and "de: choice = label" that of a choice, which is written as
    in `ChoicesField`.
    """

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(
            f"{language}: {_labelled(choice)}{label}"
            for language, labels in sorted(value.items())
            for choice, label in sorted(labels.items())
        )

    def to_python(self, value: Any) -> Any:
        found: dict[str, dict[str, str]] = {}
        for line in re.split(r"\r\n|\r|\n", super().to_python(value) or ""):
            if not line.strip():
                continue
            language, colon, rest = line.partition(":")
            choice, equals, label = rest.rpartition(" = ")
            if not colon or not label.strip():
                message = gettext("Write “%s” as “de: label” or “de: choice = label”.")
                raise ValidationError(message % line.strip())
            if (language := language.strip()) not in dict(settings.LANGUAGES):
                message = gettext("There is no language “%(language)s”. There are: %(known)s.")
                known = ", ".join(code for code, _name in settings.LANGUAGES)
                raise ValidationError(message % {"language": language, "known": known})
            found.setdefault(language, {})[_choice(choice.strip()) if equals else ""] = (
                label.strip()
            )
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or {}) != self.to_python(data)


def _labelled(choice: str) -> str:
    return f"{_line(choice)} = " if choice else ""


class AttributeDefinitionForm(ShownValuesForm):
    """Creates or changes a definition. It asks before users have values that are not allowed."""

    number_refused = 0  # of users with a value that a new definition does not allow

    choices = ChoicesField(
        label=_("Choices"),
        required=False,
        help_text=_(
            "One per line, for the types “one choice” and “several choices”. To use line breaks or "
            "outer spaces in a choice, write it as a JSON string, in quotes."
        ),
    )
    labels = LabelsField(
        label=_("Labels"),
        required=False,
        strip=False,
        help_text=_(
            "What pages call the attribute and its choices, for each language: lines such as "
            "“de: Sparte” or “de: Banking = Bankwesen”. The API and files have the names."
        ),
    )
    confirmed = forms.BooleanField(label=_("Save anyway"), required=False, widget=forms.HiddenInput)

    class Meta:
        model = AttributeDefinition
        fields = ("kind", "name", "type", "choices", "labels", "description", "position")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_labels(cleaned)
        if self.errors:
            return cleaned
        held = self._values_lost(cleaned) if self.instance.pk else self._values_refused(cleaned)
        if held and not cleaned.get("confirmed"):
            self.fields["confirmed"].widget = forms.CheckboxInput()
            self.add_error("confirmed", held)
        return cleaned

    def _check_labels(self, cleaned: dict[str, Any]) -> None:
        choices = cleaned.get("choices", self.instance.choices)
        for labels in cleaned.get("labels", {}).values():
            for choice in labels.keys() - {"", *choices}:
                self.add_error("labels", gettext("There is no choice “%s”.") % choice)

    def _values_refused(self, cleaned: dict[str, Any]) -> list[str]:
        """Return a message if users have values that the new definition does not allow."""
        names = ("kind", "name", "type", "choices")
        definition = AttributeDefinition(**{name: cleaned[name] for name in names})
        type_ = type_of(definition)
        refused = (count for value, count in count_values(definition) if type_.error(value))
        self.number_refused = sum(refused)
        return [_refused_by_new(self.number_refused, definition)] if self.number_refused else []

    def _values_lost(self, cleaned: dict[str, Any]) -> list[str]:
        """Return a message for each value that users have and the change no longer allows."""
        stored = AttributeDefinition.objects.get(pk=self.instance.pk)
        kept = set(cleaned.get("choices", ()))
        if "type" in cleaned and cleaned["type"] != stored.type:
            type_ = type_of(AttributeDefinition(type=cleaned["type"], choices=sorted(kept)))
            refused = (count for value, count in count_values(stored) if type_.error(value))
            return [_refused(count, stored.name)] if (count := sum(refused)) else []
        removed = [choice for choice in stored.choices if choice not in kept]
        counts = count_choices(stored) if removed else {}
        return [_held(counts[choice], choice) for choice in removed if counts[choice]]


def _refused(count: int, name: str) -> str:
    return ngettext(
        "%(count)d user has a value of “%(name)s” that the new type does not allow. The value is "
        "kept.",
        "%(count)d users have a value of “%(name)s” that the new type does not allow. The values "
        "are kept.",
        count,
    ) % {"count": count, "name": name}


def _refused_by_new(count: int, definition: AttributeDefinition) -> str:
    return ngettext(
        "%(count)d user has a value of “%(name)s” that this type does not allow. The value is "
        "kept.",
        "%(count)d users have a value of “%(name)s” that this type does not allow. The values are "
        "kept.",
        count,
    ) % {"count": count, "name": definition.name}


def _held(count: int, value: str) -> str:
    return ngettext(
        "%(count)d user has “%(value)s”. The value is kept, but no longer allowed.",
        "%(count)d users have “%(value)s”. The values are kept, but no longer allowed.",
        count,
    ) % {"count": count, "value": value}
