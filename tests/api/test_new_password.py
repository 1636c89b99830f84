"""The password of a new user: by the project's validators, and never shown."""

import logging
import sys

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import check_password
from django.core.signals import got_request_exception
from django.db.models.signals import post_save
from django.test import RequestFactory
from django.utils import translation
from django.views.debug import ExceptionReporter

from tests.assertions import assert_created, assert_refused
from tests.factories import PASSWORD
from users.models import Change


@pytest.mark.parametrize(
    "password", [PASSWORD, "  spaces around it  ", "Ünïcödé 密码 𝄞", "x\ty" * 9]
)
def test_the_new_user_logs_in_with_the_password_as_it_was_sent(create, rf, password):
    user = assert_created(create(password=password))
    assert authenticate(rf.get("/"), username="CHLOE", password=password) == user


def test_a_user_without_a_password_cannot_log_in(create, rf):
    user = assert_created(create())
    assert not user.has_usable_password()
    assert "password" not in Change.objects.latest("id").after
    assert authenticate(rf.get("/"), username="chloe", password="") is None


@pytest.mark.parametrize(
    ("password", "errors"),
    [
        ("", ["Must have 1 to 4096 characters, and has 0."]),
        ("x" * 4097, ["Must have 1 to 4096 characters, and has 4097."]),
        ("x" * 1_048_000, ["Must have 1 to 4096 characters, and has 1048000."]),
        ("correct\0horse battery", ["Must not contain the character U+0000."]),
        ("correct\ud800horse battery", ["Must not contain a lone surrogate."]),
        (12345678, ["Must be a string, not a number."]),
        ("martin-xq9", ["The password is too similar to the last name."]),
        (
            "1234",
            [
                "This password is too short. It must contain at least 8 characters.",
                "This password is too common.",
                "This password is entirely numeric.",
            ],
        ),
    ],
)
def test_an_invalid_password_is_refused(create, password, errors):
    response = create(password=password, last_name="Martin")
    assert_refused(response, 3115, {"password": errors})


def test_the_errors_are_in_english_whatever_the_language(create):
    with translation.override("de"):
        response = create(password="Xy3")
    error = "This password is too short. It must contain at least 8 characters."
    assert_refused(response, 3115, {"password": [error]})


def test_it_is_stored_as_the_projects_hash_alone(create):
    user = assert_created(create(password=PASSWORD))
    assert user.password.startswith("md5$")  # the hasher of the tests
    assert check_password(PASSWORD, user.password)


@pytest.mark.parametrize("invalid", [{}, {"first_name": ""}, {"login_id": "agent0"}])
def test_it_is_in_no_answer_no_log_and_no_history(create, user, caplog, capfd, invalid):
    caplog.set_level(logging.DEBUG)
    response = create(password=PASSWORD, **invalid)
    printed = capfd.readouterr()
    shown = (response.content.decode(), caplog.text, printed.out, printed.err)
    history = [str(values) for values in Change.objects.values_list("before", "after")]
    assert not [text for text in (*shown, *history) if PASSWORD in text]


def fail(**kwargs):
    raise RuntimeError("the host's own receiver failed")


@pytest.fixture
def reports(user):
    """The reports of what fails unforeseen, as Django mails them to the project's ADMINS."""
    found = []

    def report(request, **kwargs):
        reporter = ExceptionReporter(RequestFactory().get("/"), *sys.exc_info())
        found.append(reporter.get_traceback_text() + reporter.get_traceback_html())

    got_request_exception.connect(report)
    post_save.connect(fail, sender=type(user))
    yield found
    got_request_exception.disconnect(report)
    post_save.disconnect(fail, sender=type(user))


def test_it_is_in_no_report_of_an_error(create, reports):
    assert_refused(create(password=PASSWORD, job_description="Prefect"), 2007)
    [report] = reports
    assert "in new_user" in report or "in create" in report
    assert PASSWORD not in report
    assert "Prefect" not in report
