"""The log-in form of the admin site."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _


class LoginForm(AdminAuthenticationForm):
    """The admin site's log-in form, for the login id or the email.

    All refused log-ins get the same message, even if the password is right.
    """

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": _(
            "Please enter the login id or email and the password of an administrator account. "
            "Only the password is case-sensitive. Accounts with the role type Customer Care and "
            "inactive accounts cannot log in here."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username, user_model = self.fields["username"], get_user_model()
        username.label = capfirst(_("login id or email"))
        username.max_length = user_model._meta.get_field(user_model.EMAIL_FIELD).max_length
        username.widget.attrs["maxlength"] = username.max_length

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            # Counts as a failed log-in, as a wrong password does.
            user_login_failed.send(
                sender=__name__,
                credentials={"username": self.cleaned_data["username"]},
                request=self.request,
            )
            raise
