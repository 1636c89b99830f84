"""With a user model of its own, under another app label."""

from host.base import *
from host.base import INSTALLED_APPS

INSTALLED_APPS = ["people", "users", "rest_framework", *INSTALLED_APPS]
AUTH_USER_MODEL = "people.Agent"
SESSION_ENGINE = "users.sessions"
AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
