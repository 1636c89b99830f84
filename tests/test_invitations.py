"""The mail of an invitation."""

import logging
import re
from smtplib import SMTPDataError, SMTPRecipientsRefused

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import transaction

from tests.database import store
from tests.factories import AdministratorFactory, UserFactory
from users import invitations
from users.models import Invitation

User = get_user_model()

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_once")]


@pytest.fixture
def asha():
    """A user as the API makes one, without a password."""
    return User.objects.create_user("asha", "asha@desk.example", first_name="Asha")


@pytest.fixture
def invite(django_capture_on_commit_callbacks):
    """Invite a user as a door does, and commit."""

    def invite(user):
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            invitations.invite(user)

    return invite


def test_the_mail_is_sent_to_the_user_with_a_link(asha, invite):
    invite(asha)
    [message] = mail.outbox
    assert message.to == ["asha@desk.example"]
    assert message.from_email == "no-reply@testserver"
    assert message.subject == "Set your password for testserver"
    assert re.search(r"^http://testserver/invitations/\w+/\w+-\w+/$", message.body, re.MULTILINE)
    [(html, type_)] = message.alternatives
    assert type_ == "text/html"
    assert re.search(r'href="http://testserver/invitations/\w+/\w+-\w+/"', html)


def test_the_user_is_read_where_they_were_written(asha, settings, monkeypatch):
    monkeypatch.setattr(Replica, "read", [])
    settings.DATABASE_ROUTERS = [f"{__name__}.Replica"]
    list(invitations.invited())
    assert Replica.read == []


class Replica:
    """A router that reads of a replica, which may be behind; it notes what is read there."""

    read: list = []

    def db_for_read(self, model, **hints):
        self.read.append(model)


def test_no_mail_is_sent_unless_the_transaction_commits(asha, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        invitations.invite(asha)
        transaction.set_rollback(True)
    assert not mail.outbox
    assert not Invitation.objects.exists()


def test_the_mail_contains_nothing_that_somebody_entered(invite):
    entered = {"first_name": "Win-1000", "last_name": "evil.example", "job_description": "Click me"}
    user = User.objects.create_user("Cheap-Pills", "asha@desk.example", **entered)
    invite(user)
    [message] = mail.outbox
    sent = message.subject + message.body + message.alternatives[0][0]
    assert not [text for text in ("Cheap-Pills", *entered.values()) if text in sent]


def test_the_mail_is_in_the_language_of_the_deployment(asha, invite, settings):
    settings.LANGUAGE_CODE = "ar"
    invite(asha)
    assert '<html lang="ar" dir="rtl">' in mail.outbox[0].alternatives[0][0]


@pytest.mark.parametrize(
    "fields",
    [{"status": "inactive"}, {"role_type": "Administrative"}, {"password": "md5$salt$hash"}],
)
def test_who_cannot_be_invited_gets_no_mail(asha, invite, fields):
    store(asha, **fields)
    invite(asha)
    assert not mail.outbox


def test_a_user_who_is_invited_again_gets_another_mail(asha, invite):
    invite(asha)
    invite(asha)
    assert len(mail.outbox) == 2
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    [
        '"a,b"@desk.example',
        '"a\x01b"@desk.example',
        "o'hara+x@desk.example",
        "a@[127.0.0.1]",
        "asha@dęsk.example",
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.example",
    ],
)
def test_an_odd_address_gets_a_mail_and_it_alone(asha, invite, address, caplog):
    store(asha, email_id=address)
    invite(asha)
    [message] = mail.outbox
    assert message.recipients() == [address]
    assert message.message()["To"]


@pytest.mark.parametrize(
    "address",
    [
        "asha@desk.example\nBcc: victim@desk.example",
        "asha@desk.example\r\nSubject: Pills",
        "asha@desk.example, victim@desk.example",
        "Asha <asha@desk.example>",
        "",
    ],
)
def test_an_address_that_is_none_gets_no_mail(asha, invite, address, caplog):
    store(asha, email_id=address)
    invite(asha)
    assert not mail.outbox
    assert caplog.messages == [f"The invitation of user {asha.pk} was not sent: ValidationError"]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ConnectionRefusedError(111, "Connection refused"),
         "ConnectionRefusedError Connection refused"),
        (TimeoutError("asha@desk.example"), "TimeoutError"),
        (SMTPDataError(554, b"asha@desk.example is a spam trap"), "SMTPDataError 554"),
        (SMTPRecipientsRefused({"asha@desk.example": (550, b"asha@desk.example is unknown")}),
         "SMTPRecipientsRefused 550"),
    ],
)  # fmt: skip
def test_a_failure_is_logged_without_address_and_link(
    asha, invite, monkeypatch, caplog, failure, reason
):
    def fail(self, *args, **kwargs):
        raise failure

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
    invite(asha)
    [record] = caplog.records
    assert record.getMessage() == f"The invitation of user {asha.pk} was not sent: {reason}"
    assert (record.levelno, record.exc_info) == (logging.ERROR, None)


# Asking for another link.


def test_who_was_invited_can_ask_for_another_link(asha, invite):
    invite(asha)
    invitations.ask_again("ASHA@Desk.Example")
    assert [message.to for message in mail.outbox] == [["asha@desk.example"]] * 2


@pytest.mark.parametrize(
    "fields",
    [{"status": "inactive"}, {"role_type": "Administrative"}, {"password": "md5$salt$hash"}],
)
def test_who_may_not_set_a_first_password_gets_no_other_link(asha, invite, fields):
    invite(asha)
    store(asha, **fields)
    invitations.ask_again("asha@desk.example")
    assert len(mail.outbox) == 1


def test_who_was_not_invited_gets_no_link(asha):
    invitations.ask_again("asha@desk.example")
    invitations.ask_again("nobody@desk.example")
    assert not mail.outbox


def test_an_administrator_without_a_password_gets_no_link(invite):
    administrator = AdministratorFactory(password=None)
    invite(administrator)
    invitations.ask_again(administrator.email_id)
    assert not mail.outbox


def test_the_number_of_links_in_a_day_is_limited(asha, invite, monkeypatch, caplog):
    invite(asha)
    for _ in range(7):
        invitations.ask_again("asha@desk.example")
    assert len(mail.outbox) == 1 + 5
    assert f"User {asha.pk} asked for too many links" in caplog.messages
    Invitation.objects.update(links_since="2026-01-01T00:00Z")
    for _ in range(7):
        invitations.ask_again("asha@desk.example")
    assert len(mail.outbox) == 1 + 5 + 5


def test_the_links_of_others_are_not_counted(asha, invite):
    bea = User.objects.create_user("bea", "bea@desk.example", first_name="Bea")
    invite(asha)
    invite(bea)
    for _ in range(7):
        invitations.ask_again("asha@desk.example")
    invitations.ask_again("bea@desk.example")
    assert mail.outbox[-1].to == ["bea@desk.example"]


# Which deployments send invitations.


def test_a_deployment_with_a_mail_server_sends_invitations():
    assert invitations.error() is None


def test_a_deployment_without_a_mail_server_says_so(settings):
    settings.PUBLIC_URL = ""
    assert invitations.error() == "This deployment sends no mail: PUBLIC_URL is not set."
    del settings.PUBLIC_URL
    assert invitations.error()


@pytest.mark.urls("users.urls")
def test_a_deployment_without_the_pages_says_so():
    assert invitations.error() == (
        "This deployment sends no invitations: their pages are not in its URLs."
    )


def test_links_begin_with_the_public_url(settings):
    settings.PUBLIC_URL = "https://desk.example/care/"
    assert invitations.link(UserFactory()).startswith("https://desk.example/care/invitations/")
