"""The forms for creating and changing users."""

from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm, UsernameField
from django.utils.translation import gettext

from users import changes
from users.admin.access import access_removal_error, may_touch
from users.admin.attribute_fields import definition_field_name, removal_field_name
from users.admin.shown_values import ShownInRowForm, ShownValuesForm
from users.attributes import values
from users.attributes.form_fields import LinesInput, has_line_breaks
from users.attributes.rules import Errors, rules_by_field
from users.attributes.types import type_of
from users.models import AbstractUser, AttributeDefinition

User: Any = get_user_model()


class AccessForm(ShownValuesForm):
    """Refuses to take away the actor's own access, or the last superuser's.

    The admin creates a subclass for each request, with `actor` (the logged-in user) and
    `superusers` (the ids of the active superusers, locked).
    """

    actor: AbstractUser
    superusers: Collection[Any] = ()

    def _protect_access(self, changed: set[str]) -> None:
        """Add errors if the change takes away the actor's own access or the last superuser's."""
        keeps = {"status": User.Status.ACTIVE, "role_type": User.RoleType.ADMINISTRATIVE}
        if self.instance.is_superuser:
            keeps["is_superuser"] = True
        for field, kept in keeps.items():
            removes = field in changed and self.cleaned_data.get(field, kept) != kept
            if removes and (
                error := access_removal_error(self.actor, [self.instance], self.superusers)
            ):
                self.add_error(field, error)


class UserRowForm(ShownInRowForm, AccessForm):
    """Changes a user in a list with `list_editable`.

    readonly_fields: returns the fields of a user that the actor may not change; set by the admin.
    """

    readonly_fields: Callable[[AbstractUser], Collection[Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        refused = not may_touch(self.actor, self.instance)
        readonly = self.readonly_fields(self.instance)
        for name, field in self.fields.items():
            field.disabled = refused or name in readonly

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._protect_access(set(self.changed_data))
        return self.cleaned_data


class UserForm(AccessForm, UserChangeForm):
    """Changes a user, with one field per attribute definition.

    Like PATCH in the API, it validates and saves only what was edited. Other changes made meanwhile
    are kept, and so are stored values that the definitions no longer allow.

    definitions: set by the admin, on a subclass for each request.
    """

    definitions: Sequence[AttributeDefinition] = ()

    class Meta(UserChangeForm.Meta):
        model = User
        field_classes = {"login_id": UsernameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes: dict[str, Any] = {}  # of attributes, set by `clean`
        self.rules = rules_by_field(self.definitions)
        for definition in self.definitions:
            self._set_initial(definition)
        for name in self.rules:
            self._offer_removal(name)
        for name, field in self.fields.items():
            if has_line_breaks(self.initial.get(name)) and type(field) is forms.CharField:
                # A browser takes line breaks out of a single line.
                field.widget = LinesInput(attrs={**field.widget.attrs, "rows": 4})

    def _set_initial(self, definition: AttributeDefinition) -> None:
        value = getattr(self.instance, definition.field).get(definition.name)
        if value is not None and type_of(definition).error(value) is None:
            self.initial[definition_field_name(definition)] = value

    def _offer_removal(self, name: str) -> None:
        """Offer to remove the stored values that no definition allows."""
        if (field := self.fields.get(removal_field_name(name))) is None:
            return
        stored = getattr(self.instance, name)
        field.choices = [
            # Quoted, because browsers change line breaks.
            (quote(key), _stored_text(key, stored[key], error))
            for key, error in self.rules[name].no_longer_allowed(stored).items()
        ]

    def clean(self) -> dict[str, Any]:
        super().clean()
        changed = set(self.changed_data)
        self._validate_attributes(changed)
        self._protect_access(changed)
        return self.cleaned_data

    def _validate_attributes(self, changed: set[str]) -> None:
        wanted = {name: patch for name in self.rules if (patch := self._patch(name, changed))}
        try:
            self.changes = changes.validate(self.instance, wanted, self.rules)
        except changes.InvalidChangeError as error:
            for name, errors in error.errors.items():
                self._add_attribute_errors(name, errors)

    def _patch(self, name: str, changed: set[str]) -> values.Attributes:
        """Return the edited attributes of the user's field `name`; None removes one."""
        removed = set(self.cleaned_data.get(removal_field_name(name), ()))
        stored = getattr(self.instance, name)
        return {key: None for key in stored if quote(key) in removed} | {
            definition.name: self.cleaned_data[field_name]
            for definition in self.definitions
            if definition.field == name
            and (field_name := definition_field_name(definition)) in changed
            and field_name in self.cleaned_data
        }

    def _add_attribute_errors(self, name: str, errors: Errors) -> None:
        if isinstance(errors, list):  # errors of the object as a whole
            self.add_error(None, errors)
            return
        for definition in self.definitions:
            if definition.field == name and definition.name in errors:
                self.add_error(definition_field_name(definition), errors[definition.name])

    def _post_clean(self) -> None:
        super()._post_clean()
        # Only now, so that the model does not validate them again.
        for name, value in self.changes.items():
            setattr(self.instance, name, value)

    @property
    def changed_columns(self) -> list[str]:
        return [*self.changes, *super().changed_columns]


def _stored_text(key: str, value: Any, why_unallowed: str | None) -> str:
    text = f"{key}: {values.readable(value)}"
    if why_unallowed is None:
        return text
    return gettext("%(text)s (no longer allowed: %(why)s)") % {"text": text, "why": why_unallowed}


class UserCreationForm(AdminUserCreationForm):
    """Creates a user. Attributes, teams and access are edited on the user's page afterwards."""

    class Meta:  # the admin sets the model
        fields = ("first_name", "last_name", "login_id", "email_id")
        field_classes = {"login_id": UsernameField}
