"""The form fields of attributes, made from their definitions."""

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from users.attributes.types import type_of
from users.models import AttributeDefinition


def attribute_field(definition: AttributeDefinition) -> forms.Field:
    """Return a form field for the attribute of `definition`: its cleaned value, or None."""
    field = type_of(definition).form_field()
    field.label = definition.name
    field.help_text = escape(definition.description)  # the admin site's templates take it for HTML
    field.required = False
    return field


def definition_field_name(definition: AttributeDefinition) -> str:
    """Return the name of the form field for the attribute of `definition`."""
    return f"{definition.kind}_{definition.pk}"


def removal_field_name(attribute_field: str) -> str:
    """Return the name of the form field for the stored values that no definition allows."""
    return f"remove_{attribute_field}"


def removal_field() -> forms.MultipleChoiceField:
    """Return a form field for the stored values that no definition allows: those to remove."""
    return forms.MultipleChoiceField(
        label=_("Others"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Stored, but by no definition. They stay unless you tick them: to be removed."),
    )
