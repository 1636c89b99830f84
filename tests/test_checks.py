import pytest
from django.core.checks import run_checks


@pytest.mark.django_db  # some of Django's own checks ask the database
@pytest.mark.parametrize(
    ("setting", "value", "id_"),
    [
        ("SESSION_ENGINE", "django.contrib.sessions.backends.db", "users.W001"),
        ("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"], "users.W002"),
    ],
)
def test_what_a_project_forgot_is_said(settings, setting, value, id_):
    assert id_ not in {message.id for message in run_checks()}
    setattr(settings, setting, value)
    assert id_ in {message.id for message in run_checks()}
