"""The session model: Django's, with a foreign key to the user."""

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext


class Session(AbstractBaseSession):
    """A session of Django's that knows whose it is (`users.sessions` stores it)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions"
    )
    # The SHA-256 digest of the user's hashed password that the session was begun under.
    password_digest = models.CharField(max_length=64, blank=True, editable=False)

    def __str__(self) -> str:
        # Not the key, which lets in whoever reads it: the admin site names what goes with a user.
        return gettext("expires at %s") % self.expire_date

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        return import_module(settings.SESSION_ENGINE).SessionStore
