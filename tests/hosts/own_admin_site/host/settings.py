"""With an admin site of its own beside Django's, sessions of its own middleware, and local time."""

from host.base import *
from host.base import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [
    "host",
    "users",
    "rest_framework",
    *(
        "django.contrib.admin.apps.SimpleAdminConfig" if app == "django.contrib.admin" else app
        for app in INSTALLED_APPS
    ),
]
MIDDLEWARE = ["host.sessions.sessions", *MIDDLEWARE[1:]]
SILENCED_SYSTEM_CHECKS = ["admin.E410"]  # which knows Django's own middleware alone
AUTH_USER_MODEL = "users.User"
SESSION_ENGINE = "users.sessions"
AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]
USE_TZ = False
TIME_ZONE = "Asia/Kolkata"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
