"""With a user model and an admin class of its own."""

from host.base import *
from host.base import INSTALLED_APPS

INSTALLED_APPS = ["people", "users", "rest_framework", *INSTALLED_APPS]
AUTH_USER_MODEL = "people.Agent"
SESSION_ENGINE = "users.sessions"
AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
