"""The forms of the bulk actions that set attributes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.admin.attribute_fields import attribute_field
from users.attributes.types import type_of
from users.models import AttributeDefinition


class DefinitionField(forms.ModelChoiceField):
    def label_from_instance(self, obj: AttributeDefinition) -> str:
        return obj.label()


class AttributeForm(forms.Form):
    """Asks for an attribute, and then for its new value, or to remove it."""

    definition: forms.ModelChoiceField  # set by subclasses, with those of a kind
    # The definition whose value field the form has shown.
    asked = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.is_asked = False
        if data is None:
            return
        try:
            definition = self.fields["definition"].clean(data.get("definition"))
        except ValidationError:
            return
        self.is_asked = data.get("asked") == str(definition.pk)
        self.data = data.copy()
        self.data["asked"] = definition.pk
        if not self.is_asked:  # what was entered is the value of another attribute
            for name in ("value", "remove"):
                self.data.pop(name, None)
        self.fields["value"] = attribute_field(definition)
        self.fields["value"].error_messages["required"] = gettext(
            "Enter a value, or tick “Remove the attribute instead”."
        )
        self.fields["value"].required = self.is_asked and "remove" not in self.data
        self.fields["remove"] = forms.BooleanField(
            label=_("Remove the attribute instead"), required=False
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("remove") and cleaned.get("value") is not None:
            self.add_error("remove", gettext("Enter a value or remove the attribute, not both."))
        value, definition = cleaned.get("value"), cleaned.get("definition")
        if definition and value is not None and (error := type_of(definition).error(value)):
            self.add_error("value", error)
        return cleaned

    @property
    def has_next_step(self) -> bool:
        """Return True if the form asks for the attribute alone, and for its value afterwards."""
        return "value" not in self.fields

    def is_valid(self) -> bool:
        """Return True if the form has asked for the value, and the answer is valid."""
        return super().is_valid() and self.is_asked


class CustomAttributeForm(AttributeForm):
    definition = DefinitionField(
        AttributeDefinition.objects.filter(kind=AttributeDefinition.Kind.CUSTOM),
        label=_("Custom attribute"),
    )
    field_order = ("definition",)


class SkillForm(AttributeForm):
    definition = DefinitionField(
        AttributeDefinition.objects.filter(kind=AttributeDefinition.Kind.SKILL), label=_("Skill")
    )
    field_order = ("definition",)
