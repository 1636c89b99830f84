"""With settings of its own for the REST framework; it has forgotten the session engine."""

from host.base import *
from host.base import INSTALLED_APPS

INSTALLED_APPS = ["users", "rest_framework", *INSTALLED_APPS]
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
}
