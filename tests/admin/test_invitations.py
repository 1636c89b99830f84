"""The bulk action that invites users."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail

from tests.admin.conftest import browser_of
from tests.admin.pages import messages
from tests.admin.test_bulk_actions import LIST, act, confirm
from tests.factories import AdministratorFactory, UserFactory
from users.models import Invitation

User = get_user_model()

pytestmark = pytest.mark.usefixtures("at_once")

LEFT_OUT = (
    "left out: only active users with the role type Customer Care and no password can be invited."
)


@pytest.fixture
def new_users(db):
    return [UserFactory(password=None) for _ in range(2)]


@pytest.fixture
def send(root_browser, django_capture_on_commit_callbacks):
    """Invite users, and return what the operator is told."""

    def send(users):
        page = act(root_browser, "invite", users)
        with django_capture_on_commit_callbacks(execute=True):
            return messages(confirm(root_browser, page))

    return send


def test_it_asks_first(root_browser, new_users):
    page = act(root_browser, "invite", new_users)
    assert "Send 2 users a link to set the password?" in page.text
    assert not Invitation.objects.exists()


def test_it_sends_each_user_a_mail(send, new_users):
    assert send(new_users) == ["Invited 2 users."]
    assert {message.to[0] for message in mail.outbox} == {user.email_id for user in new_users}
    assert Invitation.objects.count() == 2


def test_it_leaves_out_who_cannot_be_invited(send, new_users):
    others = [
        UserFactory(),
        UserFactory(password=None, status="inactive"),
        AdministratorFactory(password=None),
    ]
    assert send([*new_users, *others]) == [f"Invited 2 users. 3 were {LEFT_OUT}"]
    assert len(mail.outbox) == 2
    assert send(others[:1]) == [f"Invited 0 users. 1 was {LEFT_OUT}"]


def test_it_sends_another_mail_to_who_was_invited(send, new_users):
    send(new_users[:1])
    send(new_users[:1])
    assert len(mail.outbox) == 2


def test_it_takes_the_permission_to_change_users(new_users):
    viewer = AdministratorFactory()
    viewer.user_permissions.set(Permission.objects.filter(codename="view_user"))
    browser = browser_of(viewer)
    assert 'value="invite"' not in browser.get(LIST).text
    act(browser, "invite", new_users, confirmed="1")
    assert not Invitation.objects.exists()


def test_a_deployment_that_sends_no_mail_does_not_offer_it(root_browser, new_users, settings):
    assert 'value="invite"' in root_browser.get(LIST).text
    settings.PUBLIC_URL = ""
    assert 'value="invite"' not in root_browser.get(LIST).text
    act(root_browser, "invite", new_users)
    assert not Invitation.objects.exists()
