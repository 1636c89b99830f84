"""The forms of teams and memberships."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import cached_property

from users.admin.access import superuser_error
from users.admin.shown_values import Shown, ShownValuesForm
from users.models import (
    AbstractUser,
    Team,
)


class MembershipForm(ShownValuesForm):
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


class MembershipRowForm(MembershipForm):
    """Changes a membership in the list, where each row sends what it showed beside its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    @cached_property
    def shown_values(self) -> dict[str, Shown]:
        sent = {name: self.data.get(self[name].html_initial_name) for name in self.stored_values}
        return {**self.stored_values, **{n: text for n, text in sent.items() if text is not None}}

    def _ask_before_overwriting(self) -> None:
        super()._ask_before_overwriting()
        asked = set(self.errors) & set(self.shown_values)
        if asked:
            shown = {self[name].html_initial_name: self.shown_values[name] for name in asked}
            self.data = {**self.data.dict(), **shown}


class TeamForm(ShownValuesForm):
    """Makes or changes a team."""

    class Meta:
        model = Team
        fields = ("name",)
