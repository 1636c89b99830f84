"""The parameter `invite` of a creation: a mail with a link to set the password."""

import pytest
from django.core import mail

from tests.assertions import assert_created, assert_refused
from tests.factories import PASSWORD
from users.models import Invitation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_once")]


def test_the_new_user_is_sent_a_link(create):
    user = assert_created(create(invite=True))
    [message] = mail.outbox
    assert message.to == ["chloe@desk.example"]
    assert Invitation.objects.get().user == user


def test_nothing_is_sent_unless_it_is_asked_for(create):
    assert_created(create(invite=False))
    assert_created(create(login_id="other", email_id="other@desk.example"))
    assert not mail.outbox


def test_nothing_is_sent_to_a_user_who_is_not_created(create, user):
    assert_refused(
        create(invite=True, login_id=user.login_id),
        9409,
        {"login_id": ["A user with this login id already exists."]},
    )
    assert not mail.outbox


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        (
            {"password": PASSWORD},
            "Must not be true where there is a password: the user sets it.",
        ),
        ({"status": "inactive"}, "Must not be true for an inactive user."),
        ({"invite": 1}, "Must be true or false, not a number."),
    ],
)
def test_a_user_who_cannot_be_invited_is_not_created(create, parameters, error):
    assert_refused(create(**{"invite": True, **parameters}), 3115, {"invite": [error]})
    assert not mail.outbox


def test_where_no_mail_is_sent_an_error_says_so(create, settings):
    settings.PUBLIC_URL = ""
    error = "This deployment sends no mail: EMAIL_URL and PUBLIC_URL are not set."
    assert_refused(create(invite=True), 3115, {"invite": [error]})
