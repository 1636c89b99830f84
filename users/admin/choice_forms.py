"""The form that renames a choice for all users who have it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from users import choices
from users.attributes.form_fields import ChoiceField
from users.attributes.values import MAX_STRING_LENGTH
from users.models import AttributeDefinition


class RenameChoiceForm(forms.Form):
    """Asks for a choice and its new name. `held` are the choices that users have."""

    choice = ChoiceField(label=_("Choice"))
    new_name = forms.CharField(
        label=_("New name"),
        max_length=MAX_STRING_LENGTH,
        help_text=_("Enter the name of another choice to replace this choice by it."),
    )

    def __init__(
        self, definition: AttributeDefinition, held: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.definition = definition
        names = dict.fromkeys([*definition.choices, *held])
        self.fields["choice"].choices = [(name, name) for name in names]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                choices.renamed(self.definition, cleaned["choice"], cleaned["new_name"])
            except ValidationError as error:
                self.add_error("new_name", error)
        return cleaned

    @property
    def action(self) -> str:
        """Return what the page asks to confirm: "rename" or "replace"."""
        is_choice = self.cleaned_data["new_name"] in self.definition.choices
        return "replace" if is_choice else "rename"

    def question(self, count: int) -> str:
        """Return what the operator is asked before `count` users change."""
        old, new = self.cleaned_data["choice"], self.cleaned_data["new_name"]
        if self.action == "replace":
            text = ngettext(
                "Replace “%(old)s” by “%(new)s” for %(count)d user? “%(old)s” is then no choice.",
                "Replace “%(old)s” by “%(new)s” for %(count)d users? “%(old)s” is then no choice.",
                count,
            )
        else:
            text = ngettext(
                "Rename “%(old)s” to “%(new)s” for %(count)d user?",
                "Rename “%(old)s” to “%(new)s” for %(count)d users?",
                count,
            )
        return text % {"old": old, "new": new, "count": count}
