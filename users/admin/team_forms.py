"""The forms of teams and memberships."""

from typing import Any

from django.core.exceptions import ValidationError

from users.admin.access import superuser_error
from users.admin.shown_values import ShownInRowForm, ShownValuesForm
from users.models import AbstractUser, Team


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


class TeamForm(ShownValuesForm):
    """Creates or changes a team."""

    class Meta:
        model = Team
        fields = ("name",)
