"""The forms for creating and rotating access tokens."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.admin.shown_values import ShownValuesForm
from users.models import AccessToken


class AccessTokenCreationForm(forms.ModelForm):
    """Creates an access token."""

    days = forms.IntegerField(
        label=_("Lifetime in days"),
        min_value=1,
        max_value=AccessToken.MAX_DAYS,
        initial=90,
        required=False,
        help_text=_("Leave empty for no limit."),
    )

    class Meta:
        model = AccessToken
        fields = ("name", "teams", "read_only", "rate_limit", "scim_team")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("teams") or cleaned.get("scim_team")) and "teams" not in self.errors:
            self.add_error("teams", gettext("Select a team: without one, the token is useless."))
        return cleaned


class AccessTokenForm(ShownValuesForm):
    """Changes the name and the rights of an access token."""

    class Meta:
        model = AccessToken
        fields = ("name", "teams", "read_only", "rate_limit", "scim_team")


class RotationForm(forms.Form):
    """Asks how long the old token stays valid."""

    hours = forms.IntegerField(
        label=_("Hours until the old token expires"), min_value=0, max_value=8760, initial=24
    )
