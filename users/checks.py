"""System checks: what a project that plugs the app in may have forgotten."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from users.backends import LoginBackend
from users.sessions import SessionStore


@checks.register
def check_session_engine(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W001: sessions that do not know their user."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if issubclass(store, SessionStore):
        return []
    return [
        checks.Warning(
            f"The sessions of '{settings.SESSION_ENGINE}' do not know their user: `logged_in` is "
            "always false, and a deactivation ends no session before its next request.",
            hint='Set SESSION_ENGINE = "users.sessions".',
            id="users.W001",
        )
    ]


@checks.register
def check_authentication_backends(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W002: nobody logs in by email, nor whatever the case of the login id."""
    backends = map(import_string, settings.AUTHENTICATION_BACKENDS)
    if any(issubclass(backend, LoginBackend) for backend in backends):
        return []
    return [
        checks.Warning(
            "No authentication backend reads `login_using_email`, nor ignores the case of a name.",
            hint='Add "users.backends.LoginBackend" to AUTHENTICATION_BACKENDS.',
            id="users.W002",
        )
    ]
