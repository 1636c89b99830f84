"""What a project that plugs the app in forgot, said at its start."""

import pytest
from django.core.checks import run_checks
from django.db import connection

from users.models import Team

pytestmark = pytest.mark.django_db  # some of Django's own checks ask the database


def ids():
    return {message.id for message in run_checks(databases=["default"])}


def test_nothing_is_said_of_the_project_as_it_is_deployed():
    assert not {id_ for id_ in ids() if id_.startswith("users.")}


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


def test_a_database_that_stores_no_json_is_said(monkeypatch):
    monkeypatch.setattr(connection.features, "supports_json_field", False)
    assert "users.E002" in ids()


@pytest.mark.parametrize("mode", [{}, {"transaction_mode": None}, {"transaction_mode": "DEFERRED"}])
def test_a_database_without_row_locks_or_their_place_is_said(monkeypatch, mode):
    monkeypatch.setattr(connection.features, "has_select_for_update", False)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", mode)
    assert "users.W003" in ids()


def test_a_missing_rest_framework_is_said(settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "rest_framework"]
    assert "users.W004" in ids()
