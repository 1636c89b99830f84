"""The forms of teams and memberships."""

from typing import Any

from django.core.exceptions import ValidationError

from users.admin.access import superuser_error
from users.admin.shown_values import ShownInRowForm, ShownValuesForm
from users.models import AbstractUser, Team


class MembershipForm(ShownValuesForm):
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


class TeamForm(ShownValuesForm):
    """Creates or changes a team."""

    class Meta:
        model = Team
        fields = ("name",)
