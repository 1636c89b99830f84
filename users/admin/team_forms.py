"""The forms of teams and memberships."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from users.admin.access import superuser_error
from users.admin.keys import AutocompleteMultiple, MultipleChoiceField
from users.admin.shown_values import ShownInRowForm, ShownValuesForm
from users.models import AbstractUser, Membership, Team


class UniqueMembership(ShownValuesForm):
    """Validates that the user is not in the team already."""

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        # Django skips a constraint that names a field which does not change, or the parent of an
        # inline form (6.1 only the first).
        excluded = self._get_validation_exclusions() - {"user", "team"}
        try:
            self.instance.validate_constraints(exclude=excluded)
        except ValidationError as error:
            self._update_errors(error)


class MembershipForm(UniqueMembership):
    """Creates or changes a membership. Only superusers can change those of superusers."""

    actor: AbstractUser

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # The change list submits all of its rows, changed or not, and without the user.
        if self.has_changed() and not self.actor.is_superuser:
            user = cleaned.get("user") or (self.instance.pk and self.instance.user)
            if user and user.is_superuser:
                raise ValidationError(superuser_error(user))
        return cleaned


class MembershipRowForm(ShownInRowForm, MembershipForm):
    """Changes a membership in the list."""


class RoleForm(forms.Form):
    """Asks for a role."""

    role = forms.ChoiceField(
        label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.AGENT
    )


class AddMembersForm(RoleForm):
    """Asks for users, and for the team and role that they get."""

    team = forms.ModelChoiceField(Team.objects.all(), label=_("Team"))
    users = MultipleChoiceField(None, label=_("Users"))

    field_order = ("team", "users", "role")

    def __init__(self, site: AdminSite, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["users"]
        field.queryset = get_user_model()._default_manager.all()
        field.widget = AutocompleteMultiple(Membership._meta.get_field("user"), site)
        field.widget.choices = field.choices


class TeamForm(ShownValuesForm):
    """Creates or changes a team."""

    class Meta:
        model = Team
        fields = ("name",)
