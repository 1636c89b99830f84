"""With the app's own user model."""

from host.base import *
from host.base import INSTALLED_APPS

INSTALLED_APPS = ["users", "rest_framework", *INSTALLED_APPS]
AUTH_USER_MODEL = "users.User"
SESSION_ENGINE = "users.sessions"
AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]
