"""The settings from the environment: each in a process of its own, as a deployment starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
STRONG_KEY = "9aB-strong-enough-" * 4
SHOW = """
import json
from config import settings
print(json.dumps({n: getattr(settings, n) for n in dir(settings) if n.isupper()}, default=str))
"""


def start(**environment):
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def settings(**environment):
    process = start(SECRET_KEY=STRONG_KEY, **environment)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_the_defaults_are_those_of_a_deployment():
    shown = settings()
    expected = {
        "DEBUG": False,
        "ALLOWED_HOSTS": [],
        "HTTPS": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
    }
    assert {name: shown[name] for name in expected} == expected
    assert shown["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert shown["DATABASES"]["default"]["NAME"] == str(PROJECT / "db.sqlite3")


@pytest.mark.parametrize("environment", [{"DEBUG": "on"}, {"HTTPS": "off"}])
def test_plain_http_needs_no_proxy(environment):
    shown = settings(**environment)
    assert "SECURE_SSL_REDIRECT" not in shown
    assert "SECURE_PROXY_SSL_HEADER" not in shown
    assert (shown["SESSION_COOKIE_SECURE"], shown["CSRF_COOKIE_SECURE"]) == (False, False)


@pytest.mark.parametrize("value", ["on", "True", "YES", "1"])
def test_a_switch_is_on(value):
    assert settings(DEBUG=value)["DEBUG"] is True


@pytest.mark.parametrize("value", ["off", "False", "no", "0", ""])
def test_a_switch_is_off(value):
    assert settings(DEBUG=value)["DEBUG"] is False


def test_hosts_are_separated_by_commas():
    hosts = settings(ALLOWED_HOSTS="desk.example, .desk.example,[::1],127.0.0.1")["ALLOWED_HOSTS"]
    assert hosts == ["desk.example", ".desk.example", "[::1]", "127.0.0.1"]


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("postgresql://u:p%40ss@db.example:5432/desk", "config.postgresql"),
        ("postgres://u@db.example/desk", "config.postgresql"),
        ("mysql://u:p@db.example:3306/desk", "django.db.backends.mysql"),
        ("sqlite:////tmp/desk.sqlite3", "django.db.backends.sqlite3"),
    ],
)
def test_a_database_is_one_url_away(url, engine):
    assert settings(DATABASE_URL=url)["DATABASES"]["default"]["ENGINE"] == engine


def test_a_weak_key_is_enough_for_debugging():
    assert start(SECRET_KEY="weak", DEBUG="on").returncode == 0


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "", "DEBUG": "on"}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is weak"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is weak"),
        ({"SECRET_KEY": "django-insecure-" + STRONG_KEY}, "SECRET_KEY is weak"),
        ({"DEBUG": "maybe"}, "DEBUG must be on or off, not 'maybe'."),
        ({"HTTPS": "flase"}, "HTTPS must be on or off, not 'flase'."),
        ({"ALLOWED_HOSTS": "https://desk.example"}, "'https://desk.example' is none"),
        ({"ALLOWED_HOSTS": "desk.example:8000"}, "'desk.example:8000' is none"),
        ({"DATABASE_URL": "oracle://u:p@db.example/desk"}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "desk.sqlite3"}, "DATABASE_URL"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        (
            {"DATABASE_URL": "postgresql://u@db.example:port/desk"},
            "DATABASE_URL is no database URL",
        ),
        ({"DATABASE_URL": "postgresql://[::1/desk"}, "DATABASE_URL is no database URL"),
        ({"DATABASE_URL": "postgresql://"}, "DATABASE_URL names no database"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_its_variable(environment, message):
    process = start(**{"SECRET_KEY": STRONG_KEY, **environment})
    assert process.returncode != 0
    last_line = process.stderr.strip().splitlines()[-1]
    assert last_line.startswith("django.core.exceptions.ImproperlyConfigured: "), process.stderr
    assert message in last_line


def test_the_project_passes_djangos_checks_for_deployment():
    process = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "SECRET_KEY": STRONG_KEY,
            "ALLOWED_HOSTS": "desk.example",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
