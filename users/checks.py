"""System checks: what a project that plugs the app in may have forgotten."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import connections
from django.utils.module_loading import import_string

from users.backends import LoginBackend
from users.models import AbstractUser
from users.sessions import SessionStore


@checks.register
def check_user_model(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.E001: a user model without the fields and promises of ours."""
    if issubclass(get_user_model(), AbstractUser):
        return []
    return [
        checks.Error(
            f"AUTH_USER_MODEL, '{settings.AUTH_USER_MODEL}', is no subclass of "
            "users.models.AbstractUser.",
            hint='Set AUTH_USER_MODEL = "users.User", or subclass users.models.AbstractUser.',
            id="users.E001",
        )
    ]


@checks.register(checks.Tags.database)
def check_databases(
    databases: Iterable[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """users.E002: no JSON fields; users.W003: no row locks, and no transactions in their place."""
    messages: list[checks.CheckMessage] = []
    for alias in databases or ():
        connection: Any = connections[alias]
        if not connection.features.supports_json_field:
            messages.append(
                checks.Error(
                    f"The database '{alias}' stores no JSON, of which users' attributes are.",
                    hint="Use PostgreSQL, MariaDB, or SQLite with its JSON functions.",
                    id="users.E002",
                )
            )
        # Where there is no row lock, only a transaction that begins as a writer takes its place.
        mode = connection.settings_dict["OPTIONS"].get("transaction_mode") or "DEFERRED"
        begins_as_writer = mode.upper() in ("IMMEDIATE", "EXCLUSIVE")
        if not connection.features.has_select_for_update and not begins_as_writer:
            messages.append(
                checks.Warning(
                    f"The database '{alias}' locks no rows: of two updates at once, one fails.",
                    hint=f'In DATABASES["{alias}"], "OPTIONS": {{"transaction_mode": "IMMEDIATE"}}',
                    id="users.W003",
                )
            )
    return messages


@checks.register
def check_rest_framework(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W004: the package that the call is made with is not among the apps."""
    if apps.is_installed("rest_framework"):
        return []
    return [
        checks.Warning(
            "Django REST framework is not installed as an app.",
            hint='Add "rest_framework" to INSTALLED_APPS.',
            id="users.W004",
        )
    ]


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
