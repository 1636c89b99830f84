"""The part of a user's form that edits attributes: a field per definition, and a skill to add."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users import changes
from users.admin.attribute_fields import definition_field_name
from users.attributes import values
from users.attributes.rules import Errors, Rules, rules_by_field
from users.attributes.types import Boolean, Number, Text, Type
from users.models import AttributeDefinition

NEW_SKILL_FIELDS = ("new_skill_name", "new_skill_type", "new_skill_value")


class AttributesForm(forms.ModelForm):
    """Validates the attributes that its fields hold, and sets them on the instance.

    The admin makes a subclass for each request, with the fields and `definitions`; those of the new
    skill (`new_skill_fields`) may be left out.
    """

    definitions: Sequence[AttributeDefinition] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes: dict[str, Any] = {}  # of attributes, set by `clean`
        self.rules: Mapping[str, Rules] = rules_by_field(self.definitions)

    def validate_attributes(self, changed: set[str]) -> None:
        """Validate the attributes of the fields `changed`, and add their errors to the form."""
        wanted = {name: patch for name in self.rules if (patch := self.patch(name, changed))}
        try:
            self.changes = changes.validate(self.instance, wanted, self.rules)
        except changes.InvalidChangeError as error:
            for name, errors in error.errors.items():
                self._add_attribute_errors(name, errors)

    def patch(self, name: str, changed: set[str]) -> values.Attributes:
        """Return the edited attributes of the user's field `name`; None removes one."""
        patch = self._new_skill() if name == "skill_attributes" else {}
        return patch | {
            definition.name: self.cleaned_data[field_name]
            for definition in self.definitions
            if definition.field == name
            and (field_name := definition_field_name(definition)) in changed
            and field_name in self.cleaned_data
        }

    def _new_skill(self) -> values.Attributes:
        name = self.cleaned_data.get("new_skill_name", "")
        text = self.cleaned_data.get("new_skill_value", "")
        if not (name or text) or set(NEW_SKILL_FIELDS) & set(self.errors):
            return {}
        if not name:
            self.add_error("new_skill_name", gettext("Enter the name of the skill, too."))
        elif not text:
            self.add_error("new_skill_value", gettext("Enter the value of the skill, too."))
        elif name in self.rules["skill_attributes"].definitions:
            self.add_error("new_skill_name", gettext("This skill has a field of its own."))
        else:
            return self._parsed(name, text)
        return {}

    def _parsed(self, name: str, text: str) -> values.Attributes:
        type_name = self.cleaned_data.get("new_skill_type") or "text"
        if type_name == "list":
            return {name: [item for part in text.split(",") if (item := part.strip())]}
        type_ = _NEW_SKILL_TYPES[type_name]
        value = type_.from_text(text)
        if error := type_.error(value):
            self.add_error("new_skill_value", error)
            return {}
        return {name: value}

    def _add_attribute_errors(self, name: str, errors: Errors) -> None:
        if isinstance(errors, list):  # errors of the object as a whole
            self.add_error(None, errors)
            return
        defined = self.rules[name].definitions
        for key, messages in errors.items():
            if key in defined:
                field = definition_field_name(defined[key])  # type: ignore[arg-type]
            else:
                field = "new_skill_name" if values.key_error(key) else "new_skill_value"
            self.add_error(field, messages)

    def _post_clean(self) -> None:
        django: Any = super()
        django._post_clean()
        # Only now, so that the model does not validate them again.
        for name, value in self.changes.items():
            setattr(self.instance, name, value)


def new_skill_fields() -> dict[str, forms.Field]:
    """Return the form fields of a skill that nobody has defined."""
    return {
        "new_skill_name": forms.CharField(
            label=_("Add a skill"), required=False, max_length=values.MAX_KEY_LENGTH
        ),
        "new_skill_type": forms.ChoiceField(
            label=_("Type"), required=False, choices=_NEW_SKILL_LABELS, initial="text"
        ),
        "new_skill_value": forms.CharField(label=_("Value"), required=False),
    }


_NEW_SKILL_LABELS = [
    ("text", _("text")),
    ("number", _("number")),
    ("boolean", _("yes or no")),
    ("list", _("list, separated by commas")),
]
_NEW_SKILL_TYPES: Mapping[str, Type] = {"text": Text(), "number": Number(), "boolean": Boolean()}
