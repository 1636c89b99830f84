"""`invite` of `POST /api/users`."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import transaction
from django.db.models.signals import post_save
from django.test import Client

from tests.api.conftest import REQUIRED
from tests.assertions import assert_created, assert_refused
from tests.factories import PASSWORD, UserFactory
from users.models import Invitation

User = get_user_model()

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def create(create, django_capture_on_commit_callbacks):
    """Create a user, and commit."""

    def make(**parameters):
        with django_capture_on_commit_callbacks(execute=True):
            return create(**parameters)

    return make


def test_the_user_is_sent_a_link_that_sets_the_password(create):
    user = assert_created(create(invite=True))
    [message] = mail.outbox
    assert message.to == [REQUIRED["email_id"]]
    link = re.search(r"^http://testserver(\S+-\S+)$", message.body, re.MULTILINE)[1]
    browser = Client()
    page = browser.get(link)["Location"]
    browser.post(page, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_what_a_receiver_of_the_host_does_after_the_commit_costs_no_mail(call):
    def receiver(**kwargs):
        transaction.on_commit(lambda: 1 // 0)

    post_save.connect(receiver, sender=User)
    try:
        response = call({**REQUIRED, "invite": True}, "POST", path="/api/users")
    finally:
        post_save.disconnect(receiver, sender=User)
    assert_created(response)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "parameters", [{}, {"invite": False}, {"invite": False, "password": PASSWORD}]
)
def test_nobody_is_invited_who_is_not_to_be(create, parameters):
    assert_created(create(**parameters))
    assert not mail.outbox
    assert not Invitation.objects.exists()


def test_a_mail_server_that_fails_fails_no_creation(create, monkeypatch, caplog):
    def fail(self, *args, **kwargs):
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
    user = assert_created(create(invite=True))
    assert f"The invitation of user {user.pk} was not sent: ConnectionRefusedError" in caplog.text
    assert "chloe@desk.example" not in caplog.text


def test_a_thread_that_takes_no_more_calls_fails_no_creation(create, monkeypatch):
    def refuse(function, *arguments):
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr("users.background.run", refuse)
    assert_created(create(invite=True))


def assert_not_invited(response, error):
    assert_refused(response, 3115, {"invite": [error]})
    assert not User.objects.filter(login_id=REQUIRED["login_id"]).exists()
    assert not mail.outbox


@pytest.mark.parametrize(
    ("value", "type_"),
    [("true", "a string"), (1, "a number"), (0, "a number"), ([], "a list"), ({}, "an object")],
)
def test_it_is_a_boolean(create, value, type_):
    assert_not_invited(create(invite=value), f"Must be true or false, not {type_}.")


def test_it_does_not_go_with_a_password(create):
    error = "Must not be true where there is a password: the user sets it."
    assert_not_invited(create(invite=True, password=PASSWORD), error)


def test_an_inactive_user_is_not_invited(create):
    error = "Must not be true for an inactive user."
    assert_not_invited(create(invite=True, status="inactive"), error)


def test_a_deployment_that_sends_no_mail_says_so(create, settings):
    settings.PUBLIC_URL = ""
    error = "This deployment sends no mail: PUBLIC_URL is not set."
    assert_not_invited(create(invite=True), error)
    assert_created(create(invite=False))


def test_no_mail_is_sent_where_the_name_is_taken(create):
    UserFactory(login_id="CHLOE")
    assert create(invite=True).json()["status_code"] == 9409
    assert not mail.outbox
    assert not Invitation.objects.exists()
