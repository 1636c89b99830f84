"""The forms for creating and changing users."""

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import quote

from django.contrib.auth import get_user_model
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    SetUnusablePasswordMixin,
    UserChangeForm,
    UsernameField,
)
from django.utils.html import format_html
from django.utils.translation import gettext

from users import invitations
from users.admin.access import access_removal_error, may_touch
from users.admin.attribute_fields import definition_field_name, removal_field_name
from users.admin.attribute_forms import AttributesForm
from users.admin.shown_values import ShownInRowForm, ShownValuesForm
from users.attributes import values
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


class UserForm(AccessForm, AttributesForm, UserChangeForm):
    """Changes a user, with one field per attribute definition.

    Like PATCH in the API, it validates and saves only what was edited. Other changes made meanwhile
    are kept, and so are stored values that the definitions no longer allow.
    """

    class Meta(UserChangeForm.Meta):
        model = User
        field_classes = {"login_id": UsernameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for definition in self.definitions:
            self._set_initial(definition)
        for name in self.rules:
            self._offer_removal(name)
        self._show_line_breaks()

        if "role_type" in self.fields and "groups" not in self.fields:
            self.fields["role_type"].help_text = gettext(
                "Save as Administrative to choose groups and permissions."
            )

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
        self.validate_attributes(changed)
        self._protect_access(changed)
        return self.cleaned_data

    def patch(self, name: str, changed: set[str]) -> values.Attributes:
        removed = set(self.cleaned_data.get(removal_field_name(name), ()))
        stored = getattr(self.instance, name)
        return {key: None for key in stored if quote(key) in removed} | super().patch(name, changed)

    @property
    def changed_columns(self) -> list[str]:
        return [*self.changes, *super().changed_columns]


def _stored_text(key: str, value: Any, why_unallowed: str | None) -> str:
    text = f"{key}: {values.readable(value)}"
    if why_unallowed is None:
        return text
    return gettext("%(text)s (no longer allowed: %(why)s)") % {"text": text, "why": why_unallowed}


class PasswordForm(AdminPasswordChangeForm):
    """Django's form, with a help text that is not in English in every language."""

    @property
    def usable_password_help_text(self) -> str:
        return format_html(
            '{}<ul id="id_unusable_warning" class="messagelist"><li class="warning">{}</li></ul>',
            SetUnusablePasswordMixin.usable_password_help_text,
            gettext("If disabled, the current password for this user will be lost."),
        )


class UserCreationForm(AttributesForm, AdminUserCreationForm):
    """Creates a user, with everything but access to the admin site.

    The password is entered, or set by an invited user, or there is none.
    """

    class Meta:  # the admin sets the model
        fields = (
            "first_name",
            "last_name",
            "email_id",
            "status",
            "job_description",
            "login_id",
            "login_using_email",
        )
        field_classes = {"login_id": UsernameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invites = False
        if (password := self.fields.get("usable_password")) is not None:
            password.label = gettext("Password")
            password.help_text = ""
            password.choices = [("true", gettext("Enter a password")), *self._invitation()]
            password.choices += [("false", gettext("None: the user cannot log in yet"))]

    @staticmethod
    def _invitation() -> list[tuple[str, str]]:
        label = gettext("Invite by mail: the user sets the password")
        return [] if invitations.error() else [("invite", label)]

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("usable_password") == "invite":
            self.invites = True
            self.cleaned_data |= {"usable_password": "false"}  # until it is set
            if self.cleaned_data.get("status") == User.Status.INACTIVE:
                self.add_error("status", gettext("An inactive user cannot be invited."))
        super().clean()
        self.validate_attributes(set(self.changed_data))
        return self.cleaned_data
