"""What a project that plugs the app in forgot, said at its start."""

import re
import uuid

import pytest
from django.contrib import admin
from django.core.checks import run_checks
from django.db import connection, models
from django.test.utils import isolate_apps
from django.urls import include, path

from tests.hosts import Host
from users.api.views.user import UserView
from users.checks import check_fields_of_new_users, check_primary_key
from users.forms import LoginForm
from users.middleware import ActingMiddleware
from users.models import AbstractUser, AccessToken, Team

pytestmark = pytest.mark.django_db  # some of Django's own checks ask the database


def ids(**options):
    return {message.id for message in run_checks(**options)}


def test_nothing_is_said_of_the_project_as_it_is_deployed():
    said = ids(databases=["default"], include_deployment_checks=True)
    assert not {id_ for id_ in said if id_.startswith("users.")}


@pytest.mark.parametrize(
    ("setting", "value", "id_"),
    [
        ("SESSION_ENGINE", "django.contrib.sessions.backends.db", "users.W001"),
        ("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"], "users.W002"),
    ],
)
def test_a_setting_that_was_forgotten_is_said(settings, setting, value, id_):
    setattr(settings, setting, value)
    assert id_ in ids()


def test_a_user_model_of_another_kind_is_said(monkeypatch):
    monkeypatch.setattr("users.checks.get_user_model", lambda: Team)
    assert "users.E001" in ids()


@isolate_apps("users")
def test_a_primary_key_that_is_no_integer_is_said(monkeypatch):
    class ByUUID(AbstractUser):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)

        class Meta:
            app_label = "users"

    monkeypatch.setattr("users.checks.get_user_model", lambda: ByUUID)
    [message] = check_primary_key()
    assert message.id == "users.E003"


@isolate_apps("users")
def test_fields_that_a_creation_cannot_fill_are_said(monkeypatch):
    class Agent(AbstractUser):
        hired_on = models.DateField()
        desk = models.ForeignKey(Team, models.PROTECT, related_name="+")
        floor = models.IntegerField(default=1)
        left_on = models.DateField(null=True)
        badge = models.CharField(max_length=20)  # without one, it is empty
        seen_at = models.DateTimeField(auto_now=True)

        class Meta:
            app_label = "users"

    monkeypatch.setattr("users.checks.get_user_model", lambda: Agent)
    [message] = check_fields_of_new_users()
    assert message.id == "users.W012"
    assert "requires: hired_on, desk." in message.msg


def test_a_project_that_names_no_user_model_is_told_so(tmp_path):
    host = Host(tmp_path, "own_user")
    settings = (tmp_path / "host/settings.py").read_text()
    host.write("host/settings.py", settings.replace('AUTH_USER_MODEL = "users.User"\n', ""))
    checked = host.manage("check", check=False).stderr
    assert re.findall(r"\(\w+\.[EW]\d+\)", checked) == ["(users.E001)"], checked
    assert 'Set AUTH_USER_MODEL = "users.User"' in checked


def test_a_database_that_stores_no_json_is_said(monkeypatch):
    monkeypatch.setattr(connection.features, "supports_json_field", False)
    assert "users.E002" in ids(databases=["default"])


@pytest.mark.parametrize("mode", [{}, {"transaction_mode": None}, {"transaction_mode": "DEFERRED"}])
def test_a_database_without_row_locks_or_their_place_is_said(monkeypatch, mode):
    monkeypatch.setattr(connection.features, "has_select_for_update", False)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", mode)
    assert "users.W003" in ids()


@pytest.mark.parametrize(
    ("app", "id_"),
    [("rest_framework", "users.W004"), ("django.contrib.sessions", "users.W007")],
)
def test_a_missing_app_is_said(settings, app, id_):
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != app]
    assert id_ in ids()


class OwnView(UserView):
    """As a host has it that authenticates otherwise."""


class OwnMiddleware(ActingMiddleware):
    """As a host has it that knows better who acts."""


class URLs:
    """A URLconf."""

    def __init__(self, *urlpatterns):
        self.urlpatterns = urlpatterns


ADMIN = path("admin/", admin.site.urls)
CALL = path("api/", include("users.urls"))


@pytest.fixture
def said(settings):
    def said(*urlpatterns):
        settings.ROOT_URLCONF = URLs(*urlpatterns)
        return ids() & {"users.W005", "users.W006"}

    return said


def test_a_call_that_is_nowhere_is_said(said):
    assert said(ADMIN) == {"users.W006"}
    assert said() == {"users.W006"}


@pytest.mark.parametrize(
    "pattern",
    [
        CALL,
        path("v2/", include([path("internal/", include("users.urls"))])),
        path("staff/<str:user_id>", OwnView.as_view()),
    ],
)
def test_a_call_is_found_wherever_it_is(said, pattern):
    assert said(pattern) == set()


def test_a_log_in_by_another_form_is_said_of_the_admin_sites_that_are_served(said):
    # Not the site that the project serves: the other tests log in there.
    own = admin.AdminSite(name="own")
    assert said(CALL, path("own/", own.urls)) == {"users.W005"}
    own.login_form = LoginForm
    assert said(CALL, path("own/", own.urls)) == set()
    assert said(CALL) == set()


def test_missing_pages_are_said_where_invitations_are_sent(settings):
    settings.ROOT_URLCONF = URLs(CALL)
    assert "users.W010" in ids()
    settings.ROOT_URLCONF = URLs(CALL, path("welcome/", include("users.invitation_urls")))
    assert "users.W010" not in ids()
    settings.ROOT_URLCONF, settings.PUBLIC_URL = URLs(CALL), ""
    assert "users.W010" not in ids()


@pytest.mark.parametrize(
    ("patterns", "middleware", "expected"),
    [
        ([CALL, ADMIN], [], {"users.W009"}),
        ([CALL, ADMIN], ["users.middleware.ActingMiddleware"], set()),
        ([CALL, ADMIN], ["tests.test_checks.OwnMiddleware", "config.health.middleware"], set()),
        ([CALL], [], set()),
    ],
)
def test_an_admin_site_that_leaves_nobodys_changes_is_said(
    settings, said, patterns, middleware, expected
):
    settings.MIDDLEWARE = [
        *(name for name in settings.MIDDLEWARE if not name.startswith("users.")),
        *middleware,
    ]
    said(*patterns)
    assert ids() & {"users.W009"} == expected


@pytest.mark.parametrize(
    ("backends", "app", "expected"),
    [
        (["users.backends.LoginBackend"], None, True),
        (["users.backends.LoginBackend"], "axes", False),
        (["users.backends.LoginBackend"], "defender", False),
        (["django.contrib.auth.backends.RemoteUserBackend"], None, False),
    ],
)
def test_guessing_passwords_without_end_is_said_to_who_deploys(
    settings, monkeypatch, backends, app, expected
):
    settings.AUTHENTICATION_BACKENDS = backends
    monkeypatch.setattr("users.checks.apps.is_installed", lambda name: name == app)
    assert ("users.W008" in ids(include_deployment_checks=True)) == expected
    assert "users.W008" not in ids()


@pytest.mark.parametrize("limit", [0, -1, 1_000_000_001, "100", 1.5, True])
def test_a_rate_limit_that_is_no_number_of_calls_is_said(settings, limit):
    settings.USERS_RATE_LIMIT = limit
    assert "users.E004" in ids()


REDIS = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://nowhere"}
OTHERS = [
    "django.core.cache.backends.locmem.LocMemCache",
    "django.core.cache.backends.dummy.DummyCache",
]


@pytest.mark.parametrize("backend", OTHERS)
def test_a_rate_limit_without_redis_is_said(settings, backend):
    settings.CACHES = {"default": {"BACKEND": backend}}
    assert "users.W011" not in ids(databases=["default"])
    settings.USERS_RATE_LIMIT = 100
    assert "users.W011" in ids()
    settings.CACHES = {"default": REDIS}
    assert not {"users.W011", "users.E004"} & ids(databases=["default"])


def test_a_rate_limit_of_a_token_without_redis_is_said(settings):
    AccessToken.objects.issue("HR system", [], rate_limit=100)
    assert "users.W011" in ids(databases=["default"])
    assert "users.W011" not in ids()  # which asks no database
    settings.CACHES = {"default": REDIS}
    assert "users.W011" not in ids(databases=["default"])
