"""The forms that make and rotate an access token."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from users.admin.shown_values import ShownValuesForm
from users.models import (
    AccessToken,
)


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


class AccessTokenForm(ShownValuesForm):
    """Changes the name and the grants of an access token."""

    class Meta:
        model = AccessToken
        fields = ("name", "teams")


class RotationForm(forms.Form):
    """How long the old token stays good after the new one is made."""

    hours = forms.IntegerField(
        label=_("The old token runs out in (hours)"), min_value=0, max_value=8760, initial=24
    )
