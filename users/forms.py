"""The admin site's forms; the fields of attributes are made from their definitions."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm, UsernameField
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users import attributes
from users.models import (
    AbstractUser,
    AccessToken,
    AttributeDefinition,
    Membership,
    Team,
    count_choices,
    holders,
)
from users.shown_values import ShownValuesForm

User = get_user_model()


class LoginForm(AdminAuthenticationForm):
    """The admin site's log-in, by login id or email.

    Whoever is refused gets one and the same message, right password or wrong.
    """

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": _(
            "This login id or email and password let nobody in here. Upper and lower case matter "
            "in the password alone. The admin site is for active users with the role type "
            "Administrative: Customer Care users cannot enter it."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.label = capfirst(_("login id or email"))
        username.max_length = User._meta.get_field(User.EMAIL_FIELD).max_length
        username.widget.attrs["maxlength"] = username.max_length

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            # A failure like that of a wrong password: it counts towards a lock-out as much.
            user_login_failed.send(
                sender=__name__,
                credentials={"username": self.cleaned_data["username"]},
                request=self.request,
            )
            raise


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


class UserForm(ShownValuesForm, UserChangeForm):
    """Changes a user, an attribute a field.

    It works as the call's PATCH does: only what the operator changed is judged and saved. What
    others change meanwhile stays, and so does a stored value that its definition does not allow.

    `definitions` and `actor` (who makes the change) are set on the subclass that the admin makes
    for each request.
    """

    definitions: Iterable[AttributeDefinition] = ()
    actor: AbstractUser

    class Meta(UserChangeForm.Meta):
        model = User
        field_classes = {"login_id": UsernameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = {name: dict(getattr(self.instance, name)) for name in User.ATTRIBUTE_FIELDS}
        for definition in self.definitions:
            self._set_initial(definition)
        for name, kind in User.ATTRIBUTE_FIELDS.items():
            self._offer_removal(name, kind)

    def _set_initial(self, definition: AttributeDefinition) -> None:
        value = self.stored[definition.field].get(definition.name)
        if value is not None and attributes.value_error(value, definition) is None:
            self.initial[definition_field_name(definition)] = value

    def _offer_removal(self, name: str, kind: str) -> None:
        """Show the stored attributes that have no field, or do not fit theirs, to be removed."""
        if (field := self.fields.get(removal_field_name(name))) is None:
            return
        stored = self.stored[name]
        unallowed = attributes.unallowed(
            stored, {d.name: d for d in self.definitions if d.kind == kind}
        )
        field.choices = [
            # Quoted, for browsers change line breaks.
            (quote(key), _stored_text(key, stored[key], why))
            for key, why in unallowed.items()
        ]

    def clean(self) -> dict[str, Any]:
        super().clean()
        changed = set(self.changed_data)
        for name in User.ATTRIBUTE_FIELDS:
            setattr(self.instance, name, self._changed_attributes(name, changed))
        self._protect_access(changed)
        # What the operator did not change is not written: somebody else may have meanwhile.
        return {name: value for name, value in self.cleaned_data.items() if name in changed}

    def _changed_attributes(self, name: str, changed: set[str]) -> attributes.Attributes:
        kind = User.ATTRIBUTE_FIELDS[name]
        patch: dict[str, Any] = {
            definition.name: self.cleaned_data[field_name]
            for definition in self.definitions
            if definition.kind == kind
            and (field_name := definition_field_name(definition)) in changed
            and field_name in self.cleaned_data
            and self._is_allowed(field_name, definition)
        }
        removed = set(self.cleaned_data.get(removal_field_name(name), ()))
        patch |= {key: None for key in self.stored[name] if quote(key) in removed}
        return attributes.merge(self.stored[name], patch)

    def _is_allowed(self, field_name: str, definition: AttributeDefinition) -> bool:
        value = self.cleaned_data[field_name]
        sentence = value is not None and attributes.value_error(value, definition)
        if sentence:
            self.add_error(field_name, sentence)
        return not sentence

    def _protect_access(self, changed: set[str]) -> None:
        """Refuse what would keep the actor, or the last superuser, out."""
        keeps = {"status": User.Status.ACTIVE, "role_type": User.RoleType.ADMINISTRATIVE}
        if self.instance.is_superuser:
            keeps["is_superuser"] = True
        for field, kept in keeps.items():
            removes = field in changed and self.cleaned_data.get(field, kept) != kept
            if removes and (sentence := access_removal_error(self.actor, [self.instance])):
                self.add_error(field, sentence)

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() | (set(self.fields) - set(self.changed_data))

    def _update_errors(self, errors: ValidationError) -> None:
        # What is wrong with an attribute object as a whole has no field of its own.
        if hasattr(errors, "error_dict"):
            for name in User.ATTRIBUTE_FIELDS:
                of_object = errors.error_dict.pop(name, [])
                if of_object:
                    errors.error_dict.setdefault(NON_FIELD_ERRORS, []).extend(of_object)
        super()._update_errors(errors)

    @property
    def changed_columns(self) -> list[str]:
        """The names of the user's fields that the form changes."""
        columns = [
            field.name for field in User._meta.concrete_fields if field.name in self.cleaned_data
        ]
        return columns + [
            name
            for name in User.ATTRIBUTE_FIELDS
            if not attributes.same(self.stored[name], getattr(self.instance, name))
        ]


def _stored_text(key: str, value: Any, why_unallowed: str | None) -> str:
    text = f"{key}: {attributes.as_text(value)}"
    if why_unallowed is None:
        return text
    return gettext("%(text)s (no longer allowed. %(why)s)") % {"text": text, "why": why_unallowed}


def access_removal_error(actor: AbstractUser, users: Iterable[AbstractUser]) -> str | None:
    """Return why `actor` may not deactivate, delete or demote `users`, as a sentence, or None.

    In a transaction, it holds until its end: the superusers are locked.
    """
    ids = {user.pk for user in users}
    if actor.pk in ids:
        return gettext("You cannot take your own access away.")
    superusers = User.objects.lock_superusers()
    if superusers and superusers <= ids:
        return gettext("The last active superuser has to stay one.")
    return None


def password_removal_error(actor: AbstractUser, user: AbstractUser) -> str | None:
    """Return why `actor` may not disable the password of `user`, as a sentence, or None.

    In a transaction, it holds until its end: the superusers are locked.
    """
    if actor.pk == user.pk:
        return gettext("You cannot take your own access away.")
    superusers = User.objects.filter(pk__in=User.objects.lock_superusers())
    if [other.pk for other in superusers if other.has_usable_password()] == [user.pk]:
        return gettext("No other active superuser has a password.")
    return None


def superuser_error(user: AbstractUser) -> str:
    """Return that the account of `user` is not for everybody to change, as a sentence."""
    return gettext("Only a superuser changes a superuser's account (%s).") % user


class UserCreationForm(AdminUserCreationForm):
    """Makes a user; attributes, teams and access follow on the page of the user."""

    class Meta:  # the model is the admin site's to name
        fields = ("first_name", "last_name", "login_id", "email_id")
        field_classes = {"login_id": UsernameField}


class MembershipForm(forms.ModelForm):
    """Makes or changes a membership; that of a superuser, where `actor` is one too."""

    actor: AbstractUser

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # The list has no field for the user, and sends all of its rows, changed or not.
        if self.has_changed() and not self.actor.is_superuser:
            user = cleaned.get("user") or (self.instance.pk and self.instance.user)
            if user and user.is_superuser:
                raise ValidationError(superuser_error(user))
        return cleaned


class ChoicesField(forms.CharField):
    """The choices of a definition, one a line: a list of distinct strings.

    A choice that a line cannot hold (line breaks, outer spaces) stands there as JSON, in quotes.
    """

    widget = forms.Textarea(attrs={"rows": 8, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_line, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        # Not `splitlines()`: these are the line breaks that browsers send.
        lines = map(str.strip, re.split(r"\r\n|\r|\n", super().to_python(value) or ""))
        return [_choice(line) for line in lines if line]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)


def _line(choice: Any) -> str:
    """Return the line that `_choice` reads as `choice`."""
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


class AttributeDefinitionForm(forms.ModelForm):
    """Makes or changes a definition; what takes choices from users asks first."""

    choices = ChoicesField(
        label=_("Choices"),
        required=False,
        help_text=_(
            "One a line. Only for the types “one choice” and “several choices”. A line in quotes "
            "is read as JSON, so that a choice may hold line breaks and outer spaces."
        ),
    )
    confirmed = forms.BooleanField(
        label=_("Save it all the same"), required=False, widget=forms.HiddenInput
    )

    class Meta:
        model = AttributeDefinition
        fields = ("kind", "name", "type", "choices", "description")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        held = self._values_lost(cleaned) if self.instance.pk else []
        if held and not cleaned.get("confirmed"):
            self.fields["confirmed"].widget = forms.CheckboxInput()
            self.add_error("confirmed", held)
        return cleaned

    def _values_lost(self, cleaned: dict[str, Any]) -> list[str]:
        """Return a sentence for each value that users hold and the change no longer allows."""
        stored = AttributeDefinition.objects.get(pk=self.instance.pk)
        if "type" in cleaned and cleaned["type"] != stored.type:
            count = holders(stored).count()
            return [_held(count, stored.name)] if count else []
        kept = set(cleaned.get("choices", ()))
        removed = [choice for choice in stored.choices if choice not in kept]
        counts = count_choices(stored) if removed else {}
        return [_held(counts[choice], choice) for choice in removed if counts[choice]]


def _held(count: int, value: str) -> str:
    return ngettext(
        "%(count)d user holds “%(value)s”. It stays stored there, but is no longer allowed.",
        "%(count)d users hold “%(value)s”. It stays stored there, but is no longer allowed.",
        count,
    ) % {"count": count, "value": value}


class AccessTokenCreationForm(forms.ModelForm):
    """What an access token is made with."""

    days = forms.IntegerField(
        label=_("Lifetime in days"),
        min_value=1,
        max_value=AccessToken.MAX_DAYS,
        initial=90,
        required=False,
        help_text=_("Empty: for ever."),
    )

    class Meta:
        model = AccessToken
        fields = ("name", "teams")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teams"].required = True  # without a team, it lets nobody in


class RotationForm(forms.Form):
    """How long the old token stays good after the new one is made."""

    hours = forms.IntegerField(
        label=_("The old token runs out in (hours)"), min_value=0, max_value=8760, initial=24
    )


class TeamForm(forms.Form):
    """The team, and the role there, for users who are to be added."""

    team = forms.ModelChoiceField(Team.objects.all(), label=_("Team"))
    role = forms.ChoiceField(
        label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.AGENT
    )


class AttributeForm(forms.Form):
    """Which custom attribute is to be set; once that is known, to what, or that it is removed."""

    definition = forms.ModelChoiceField(
        AttributeDefinition.objects.filter(kind=AttributeDefinition.Kind.CUSTOM),
        label=_("Custom attribute"),
    )
    # For which definition the form showed the field of the value.
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
        self.fields["value"] = attributes.form_field(
            definition,
            label=definition.name,
            # Others of Django's templates take a help text for HTML.
            help_text=escape(definition.description),
            required=self.is_asked and "remove" not in data,
        )
        self.fields["remove"] = forms.BooleanField(
            label=_("Remove the attribute instead"), required=False
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("remove") and cleaned.get("value") is not None:
            self.add_error("remove", gettext("Give a value or remove the attribute, not both."))
        return cleaned

    def is_valid(self) -> bool:
        """Whether the value was asked for, and what was answered is valid."""
        return super().is_valid() and self.is_asked
