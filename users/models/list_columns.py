"""What operators have set on pages of the admin site."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext


class ListColumns(models.Model):
    """The columns that an operator has chosen for the list of users.

    Not a part of the user's own row, which has a history, an ETag, and locks that wait; nor of the
    session, which ends.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    # The names that `users.admin.user_columns` gives to columns.
    names = models.JSONField(default=list)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return gettext("columns of %s") % self.user
