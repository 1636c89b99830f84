"""Form fields for attributes."""

from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from users.attributes.types import type_of
from users.attributes.values import readable
from users.models import AttributeDefinition


def request_definitions(request: Any) -> list[AttributeDefinition]:
    """Return all attribute definitions, which are read once per request."""
    if not hasattr(request, "attribute_definitions"):
        request.attribute_definitions = list(AttributeDefinition.objects.all())
    return request.attribute_definitions


def attribute_field(definition: AttributeDefinition) -> forms.Field:
    """Return a form field for the attribute of `definition`."""
    field = type_of(definition).form_field()
    field.label = definition.label()
    if definition.has_choices:
        field.choices = [
            (value, definition.label(value) if value else text) for value, text in field.choices
        ]
    field.help_text = escape(definition.description)  # the admin's templates do not escape it
    field.required = False
    return field


def shown_value(definition: AttributeDefinition, value: Any) -> str:
    """Return a value of the attribute of `definition` as pages show it, choices by their labels."""
    if isinstance(value, list):
        return ", ".join(shown_value(definition, item) for item in value)
    is_choice = isinstance(value, str) and definition.has_choices
    return definition.label(value) if is_choice else readable(value)


def definition_field_name(definition: AttributeDefinition) -> str:
    """Return the name of the form field for the attribute of `definition`."""
    return f"{definition.kind}_{definition.pk}"


def removal_field_name(attribute_field: str) -> str:
    """Return the name of the form field that removes values from the user's attribute field."""
    return f"remove_{attribute_field}"


def removal_field() -> forms.MultipleChoiceField:
    """Return a form field to remove stored values that no definition allows."""
    return forms.MultipleChoiceField(
        label=_("Others"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Stored, but not allowed by any definition. Tick the values to remove."),
    )
