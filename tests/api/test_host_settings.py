"""The app plugged into another project, whose own settings must not reach the call."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent

SETTINGS = """
SECRET_KEY = "the host's"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "host.urls"
INSTALLED_APPS = [
    "users",
    "rest_framework",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "host.sqlite3",
        "ATOMIC_REQUESTS": True,
    }
}
AUTH_USER_MODEL = "users.User"
SESSION_ENGINE = "users.sessions"
AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]
USE_TZ = False
TIME_ZONE = "Asia/Kolkata"
LANGUAGE_CODE = "de"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "EXCEPTION_HANDLER": "host.urls.handle",
    "DATETIME_FORMAT": "%d.%m.%Y",
    "UNICODE_JSON": False,
    "URL_FORMAT_OVERRIDE": "format",
}
"""

URLS = """
from django.urls import include, path
from rest_framework.response import Response

def handle(exception, context):
    return Response({"host": "handled this"}, status=418)

urlpatterns = [path("internal/staff/", include("users.urls"))]
"""

CALLS = """
import json
import django
django.setup()
from django.db.models.signals import post_save
from django.test import Client
from users.models import AccessToken, Membership, Team, User

user = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
team = Team.objects.create(name="Support")
Membership.objects.create(user=user, team=team)
_, secret = AccessToken.objects.issue("HR", [team])
client = Client(raise_request_exception=False)
headers = {"Authorization": f"Bearer {secret}", "teamid": str(team.pk), "Accept": "text/html"}

def call(body, **more):
    response = client.patch(
        f"/internal/staff/users/{user.pk}", body, "application/json", headers=headers | more
    )
    return [response.status_code, response["Content-Type"], response.json()]

def fail(**kwargs):
    raise RuntimeError

answers = {
    "success": call({"first_name": "Zoë", "job_description": "x" * 20}),
    "invalid": call({"status": "away"}),
    "token": call({"first_name": "B"}, Authorization="Bearer x"),
    "headers": call({"first_name": "B"}, teamid=""),
}
post_save.connect(fail, sender=User)
answers["unforeseen"] = call({"first_name": "B"})
answers["first_name"] = User.objects.get().first_name
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the host's callers are answered, by name: [HTTP status, content type, envelope]."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "host").mkdir()
    (folder / "host" / "__init__.py").touch()
    (folder / "host" / "settings.py").write_text(SETTINGS)
    (folder / "host" / "urls.py").write_text(URLS)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{folder}{os.pathsep}{PROJECT}",
        "DJANGO_SETTINGS_MODULE": "host.settings",
    }

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    run("-m", "django", "migrate", "--verbosity", "0")
    return json.loads(run("-c", CALLS))


def test_the_call_succeeds(answers):
    status, content_type, envelope = answers["success"]
    assert (status, content_type, envelope["status_code"]) == (200, "application/json", 4309)
    assert envelope["response"]["first_name"] == "Zoë"


def test_moments_are_in_utc(answers):
    moment = answers["success"][2]["response"]["updated_at"]
    assert moment.endswith("Z")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 600


@pytest.mark.parametrize(
    ("name", "status", "number", "errors"),
    [
        ("invalid", 400, 3115, {"status": ["Must be one of: 'active', 'inactive'."]}),
        ("token", 400, 2003, None),
        ("headers", 400, 2002, {"teamid": ["This header is required."]}),
        ("unforeseen", 500, 2007, None),
    ],
)
def test_a_refusal_is_the_documented_one(answers, name, status, number, errors):
    http_status, content_type, envelope = answers[name]
    assert (http_status, content_type) == (status, "application/json")
    assert envelope["status_code"] == number
    assert envelope["response"] == ({"errors": errors} if errors else {})


def test_the_unforeseen_is_undone(answers):
    assert answers["first_name"] == "Zoë"
