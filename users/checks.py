"""System checks of the project's configuration."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend, RemoteUserBackend
from django.core import checks
from django.core.cache import caches
from django.db import DatabaseError, connections, models, router, transaction
from django.urls import URLResolver, get_resolver
from django.utils.module_loading import import_string

from users.backends import LoginBackend
from users.middleware import ActingMiddleware
from users.models import AbstractUser, AccessToken
from users.sessions import SessionStore


def _callbacks(resolver: URLResolver) -> Iterator[Any]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _callbacks(pattern)
        else:
            yield pattern.callback


def _served(attribute: str) -> set[Any]:
    """Return the values of `attribute` of all views in the project's URLs."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return set()
    callbacks = _callbacks(get_resolver())
    return {getattr(callback, attribute) for callback in callbacks if hasattr(callback, attribute)}


def _backends() -> list[type]:
    return [import_string(backend) for backend in settings.AUTHENTICATION_BACKENDS]


@checks.register
def check_user_model(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.E001: the user model is not a subclass of AbstractUser."""
    if issubclass(get_user_model(), AbstractUser):
        return []
    return [
        checks.Error(
            f"AUTH_USER_MODEL, '{settings.AUTH_USER_MODEL}', is not a subclass of "
            "users.models.AbstractUser.",
            hint='Set AUTH_USER_MODEL = "users.User", or subclass users.models.AbstractUser.',
            id="users.E001",
        )
    ]


@checks.register
def check_primary_key(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.E003: the user model's primary key is not an integer."""
    user_model = get_user_model()
    key: Any = user_model._meta.pk
    while key.remote_field:  # the link to the parent's row, in multi-table inheritance
        key = key.target_field
    if not issubclass(user_model, AbstractUser) or isinstance(key, models.IntegerField):
        return []
    return [
        checks.Error(
            f"The primary key of AUTH_USER_MODEL, '{settings.AUTH_USER_MODEL}', is not an integer, "
            "as the API requires.",
            hint="Remove the primary key, to use Django's default (BigAutoField), and store other "
            "identifiers in fields of their own.",
            id="users.E003",
        )
    ]


@checks.register
def check_fields_of_new_users(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W012: the user model has fields that the API cannot fill in a new user."""
    user_model = get_user_model()
    if not issubclass(user_model, AbstractUser):
        return []
    ours = {field.name for field in AbstractUser._meta.get_fields()}
    names = [
        field.name
        for field in user_model._meta.concrete_fields
        if field.name not in ours and _needs_value(field)
    ]
    if not names:
        return []
    return [
        checks.Warning(
            "POST /api/users cannot create users, for it sets no value for what the user model "
            f"requires: {', '.join(names)}.",
            hint="Give each of these fields a default, or null=True.",
            id="users.W012",
        )
    ]


def _needs_value(field: Any) -> bool:
    """Return True if a row cannot be inserted unless a value is set."""
    is_filled = (
        field.primary_key
        or field.generated
        or field.has_db_default()
        or getattr(field, "auto_now", False)
        or getattr(field, "auto_now_add", False)
        or getattr(field.remote_field, "parent_link", False)
    )
    return not (field.null or is_filled) and field.get_default() is None


@checks.register(checks.Tags.database)
def check_databases(
    databases: Iterable[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """users.E002: the database does not support JSON fields (SQLite may lack them)."""
    return [
        checks.Error(
            f"The database '{alias}' does not support JSON fields, which users' attributes need.",
            hint="Use PostgreSQL, MariaDB, or SQLite with its JSON functions.",
            id="users.E002",
        )
        for alias in databases or ()
        if not connections[alias].features.supports_json_field
    ]


@checks.register
def check_row_locks(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W003: the users' database has no row locks, and no substitute for them."""
    alias = router.db_for_write(get_user_model())
    connection: Any = connections[alias]
    # Without row locks, transactions have to acquire the write lock when they begin.
    mode = connection.settings_dict["OPTIONS"].get("transaction_mode") or "DEFERRED"
    if connection.features.has_select_for_update or mode.upper() in ("IMMEDIATE", "EXCLUSIVE"):
        return []
    return [
        checks.Warning(
            f"The database '{alias}' has no row locks: of two simultaneous updates, one fails.",
            hint=f'In DATABASES["{alias}"], "OPTIONS": {{"transaction_mode": "IMMEDIATE"}}',
            id="users.W003",
        )
    ]


@checks.register
def check_rest_framework(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W004: Django REST framework is not installed."""
    if apps.is_installed("rest_framework"):
        return []
    return [
        checks.Warning(
            "Django REST framework is not in INSTALLED_APPS.",
            hint='Add "rest_framework" to INSTALLED_APPS.',
            id="users.W004",
        )
    ]


@checks.register
def check_sessions_app(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W007: Django's sessions app, with the command `clearsessions`, is not installed."""
    if apps.is_installed("django.contrib.sessions"):
        return []
    return [
        checks.Warning(
            "Django's sessions are not in INSTALLED_APPS: without the command `clearsessions`, "
            "expired sessions are never deleted.",
            hint='Add "django.contrib.sessions" to INSTALLED_APPS.',
            id="users.W007",
        )
    ]


@checks.register
def check_session_engine(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W001: the session engine is not ours."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if issubclass(store, SessionStore):
        return []
    return [
        checks.Warning(
            f"The session engine '{settings.SESSION_ENGINE}' does not store whose a session is: "
            "`logged_in` is always false, and deactivating a user does not delete the sessions.",
            hint='Set SESSION_ENGINE = "users.sessions".',
            id="users.W001",
        )
    ]


@checks.register
def check_authentication_backends(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W002: the authentication backend is not ours."""
    if any(issubclass(backend, LoginBackend) for backend in _backends()):
        return []
    return [
        checks.Warning(
            "No authentication backend supports `login_using_email` and login ids in any case.",
            hint='Add "users.backends.LoginBackend" to AUTHENTICATION_BACKENDS.',
            id="users.W002",
        )
    ]


@checks.register
def check_rate_limit(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.E004: USERS_RATE_LIMIT is no number of calls."""
    limit = getattr(settings, "USERS_RATE_LIMIT", None)
    if limit is None or (type(limit) is int and 1 <= limit <= AccessToken.MAX_RATE_LIMIT):
        return []
    return [
        checks.Error(
            f"USERS_RATE_LIMIT, {limit!r}, is not a number of calls a day.",
            hint=f"Set it to an integer from 1 to {AccessToken.MAX_RATE_LIMIT}, or to None for no "
            "limit.",
            id="users.E004",
        )
    ]


@checks.register
def check_cache(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W011: there is a rate limit, and the cache is not Redis."""
    if getattr(settings, "USERS_RATE_LIMIT", None) is None or _counts_across_processes():
        return []
    return [_cache_warning("USERS_RATE_LIMIT is set")]


@checks.register(checks.Tags.database)
def check_cache_for_tokens(
    databases: Iterable[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """users.W011: an access token has a rate limit, and the cache is not Redis."""
    using = router.db_for_read(AccessToken)
    if using not in (databases or ()) or _counts_across_processes():
        return []
    try:
        with transaction.atomic(using=using):
            limited = AccessToken.objects.using(using).exclude(rate_limit=None).exists()
    except DatabaseError:  # not migrated yet
        return []
    return [_cache_warning("An access token has a rate limit")] if limited else []


def _counts_across_processes() -> bool:
    """Return True if the default cache is Redis, by Django's own backend or another one."""
    backends = {"django.core.cache.backends.redis", "django_redis", "django_valkey"}
    modules = (each.__module__ for each in type(caches["default"]).__mro__)
    return any(module in backends or module.split(".")[0] in backends for module in modules)


def _cache_warning(reason: str) -> checks.CheckMessage:
    return checks.Warning(
        f"{reason}, but the default cache is not Redis: each process counts calls for itself, or "
        "loses some.",
        hint='Set CACHES["default"]["BACKEND"] = "django.core.cache.backends.redis.RedisCache", '
        "with its LOCATION; in the project `config`, set CACHE_URL.",
        id="users.W011",
    )


@checks.register(checks.Tags.urls)
def check_urls(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W006: the API is not in the project's URLs."""
    view = import_string("users.api.views.user.UserView")
    if any(issubclass(cls, view) for cls in _served("cls")):  # set by DRF's `as_view`
        return []
    return [
        checks.Warning(
            "No URL leads to the API.",
            hint='Add path("api/", include("users.urls")) to the urlpatterns of ROOT_URLCONF.',
            id="users.W006",
        )
    ]


@checks.register(checks.Tags.urls)
def check_invitation_urls(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W010: PUBLIC_URL is set, but the pages of invitations are not in the URLs."""
    view = import_string("users.invitation_views.SetPasswordView")
    is_served = any(issubclass(cls, view) for cls in _served("view_class"))
    if is_served or not getattr(settings, "PUBLIC_URL", ""):
        return []
    return [
        checks.Warning(
            "PUBLIC_URL is set, but no URL leads to the pages of invitations: none are sent.",
            hint='Add path("invitations/", include("users.invitation_urls")) to the urlpatterns of '
            "ROOT_URLCONF.",
            id="users.W010",
        )
    ]


@checks.register(checks.Tags.urls)
def check_login_form(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W005: an admin site uses Django's own log-in form."""
    return [
        checks.Warning(
            f"The admin site '{site.name}' uses Django's log-in form: it takes no email addresses, "
            "and a user who may not enter can try passwords without limit.",
            hint="Beside urlpatterns: from users.forms import LoginForm; "
            "admin.site.login_form = LoginForm",
            id="users.W005",
        )
        for site in _served("admin_site")
        if not issubclass(site.login_form or object, import_string("users.forms.LoginForm"))
    ]


@checks.register(checks.Tags.urls)
def check_acting_middleware(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W009: an admin site is served without `ActingMiddleware`."""
    middleware = map(import_string, settings.MIDDLEWARE)
    if not _served("admin_site") or any(
        isinstance(each, type) and issubclass(each, ActingMiddleware) for each in middleware
    ):
        return []
    return [
        checks.Warning(
            "ActingMiddleware is not in MIDDLEWARE: the history records changes in the admin site "
            "without the operator, and with the door `code`.",
            hint='Add "users.middleware.ActingMiddleware" to MIDDLEWARE, after '
            '"django.contrib.auth.middleware.AuthenticationMiddleware".',
            id="users.W009",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def check_lock_out(**kwargs: Any) -> list[checks.CheckMessage]:
    """users.W008: users log in with passwords, without a limit on failed log-ins."""
    takes_passwords = any(
        issubclass(backend, ModelBackend) and not issubclass(backend, RemoteUserBackend)
        for backend in _backends()
    )
    if not takes_passwords or any(map(apps.is_installed, ("axes", "defender"))):
        return []
    return [
        checks.Warning(
            "Failed log-ins are not limited: neither django-axes nor django-defender is installed, "
            "and `users` itself does not count them.",
            hint='Install django-axes, with AXES_USERNAME_FORM_FIELD = "username"; or, if '
            'something else limits them, set SILENCED_SYSTEM_CHECKS = ["users.W008"].',
            id="users.W008",
        )
    ]
