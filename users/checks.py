"""System checks: what a project that plugs the app in may have forgotten."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend, RemoteUserBackend
from django.core import checks
from django.db import connections, models, router
from django.urls import URLResolver, get_resolver
from django.utils.module_loading import import_string

from users.backends import LoginBackend
from users.models import AbstractUser
from users.sessions import SessionStore


def _callbacks(resolver: URLResolver) -> Iterator[Any]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _callbacks(pattern)
        else:
            yield pattern.callback


def _served(attribute: str) -> set[Any]:
    """Return what the project's callbacks say of themselves by `attribute`."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return set()
    callbacks = _callbacks(get_resolver())
    return {getattr(callback, attribute) for callback in callbacks if hasattr(callback, attribute)}


def _backends() -> list[type]:
    return [import_string(backend) for backend in settings.AUTHENTICATION_BACKENDS]


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


@checks.register
def check_primary_key(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.E003: a user model whose ids are no integers, as the call has them."""
    user_model = get_user_model()
    key: Any = user_model._meta.pk
    while key.remote_field:  # the link to the parent's row, in multi-table inheritance
        key = key.target_field
    if not issubclass(user_model, AbstractUser) or isinstance(key, models.IntegerField):
        return []
    return [
        checks.Error(
            f"The primary key of AUTH_USER_MODEL, '{settings.AUTH_USER_MODEL}', is no integer, "
            "which the id of a user is in the call.",
            hint="Leave the primary key to AbstractUser's app (BigAutoField), and keep another "
            "identifier in a field of its own.",
            id="users.E003",
        )
    ]


@checks.register(checks.Tags.database)
def check_databases(
    databases: Iterable[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """users.E002: no JSON fields (which SQLite has to be asked for)."""
    return [
        checks.Error(
            f"The database '{alias}' stores no JSON, of which users' attributes are.",
            hint="Use PostgreSQL, MariaDB, or SQLite with its JSON functions.",
            id="users.E002",
        )
        for alias in databases or ()
        if not connections[alias].features.supports_json_field
    ]


@checks.register
def check_row_locks(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W003: no row locks, and no transactions in their place, where users are updated."""
    alias = router.db_for_write(get_user_model())
    connection: Any = connections[alias]
    # Where there is no row lock, only a transaction that begins as a writer takes its place.
    mode = connection.settings_dict["OPTIONS"].get("transaction_mode") or "DEFERRED"
    if connection.features.has_select_for_update or mode.upper() in ("IMMEDIATE", "EXCLUSIVE"):
        return []
    return [
        checks.Warning(
            f"The database '{alias}' locks no rows: of two updates at once, one fails.",
            hint=f'In DATABASES["{alias}"], "OPTIONS": {{"transaction_mode": "IMMEDIATE"}}',
            id="users.W003",
        )
    ]


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
def check_sessions_app(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W007: the command that deletes expired sessions is not there."""
    if apps.is_installed("django.contrib.sessions"):
        return []
    return [
        checks.Warning(
            "Django's sessions are not installed as an app: without its command `clearsessions`, "
            "expired sessions are kept for ever.",
            hint='Add "django.contrib.sessions" to INSTALLED_APPS.',
            id="users.W007",
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
    if any(issubclass(backend, LoginBackend) for backend in _backends()):
        return []
    return [
        checks.Warning(
            "No authentication backend reads `login_using_email`, nor ignores the case of a name.",
            hint='Add "users.backends.LoginBackend" to AUTHENTICATION_BACKENDS.',
            id="users.W002",
        )
    ]


@checks.register(checks.Tags.urls)
def check_urls(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W006: the update call is nowhere."""
    view = import_string("users.api.views.user.UserView")
    if any(issubclass(cls, view) for cls in _served("cls")):  # as DRF's `as_view` notes it
        return []
    return [
        checks.Warning(
            "No URL leads to the update call.",
            hint='Add path("api/", include("users.urls")) to the urlpatterns of ROOT_URLCONF.',
            id="users.W006",
        )
    ]


@checks.register(checks.Tags.urls)
def check_login_form(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W005: an admin site that is served, with Django's own log-in form."""
    return [
        checks.Warning(
            f"The admin site '{site.name}' logs in by Django's own form: it asks for the login id "
            "alone, and does not count the right password of who may not enter as a failure.",
            hint="Beside urlpatterns: from users.forms import LoginForm; "
            "admin.site.login_form = LoginForm",
            id="users.W005",
        )
        for site in _served("admin_site")
        if not issubclass(site.login_form or object, import_string("users.forms.LoginForm"))
    ]


@checks.register(checks.Tags.security, deploy=True)
def check_lock_out(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W008: passwords, and no app that bounds how many may be tried."""
    takes_passwords = any(
        issubclass(backend, ModelBackend) and not issubclass(backend, RemoteUserBackend)
        for backend in _backends()
    )
    if not takes_passwords or any(map(apps.is_installed, ("axes", "defender"))):
        return []
    return [
        checks.Warning(
            "Nobody who guesses passwords is locked out: neither django-axes nor django-defender "
            "is installed, and `users` itself counts no failed log-ins.",
            hint='Install django-axes, with AXES_USERNAME_FORM_FIELD = "username"; or, where '
            'something else bounds the attempts, SILENCED_SYSTEM_CHECKS = ["users.W008"].',
            id="users.W008",
        )
    ]
