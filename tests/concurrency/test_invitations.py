"""Simultaneous uses of an invitation."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client

from tests.database import stored
from users import invitations
from users.models import Change, Invitation

User = get_user_model()

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORDS = ["correct horse battery", "staple of another horse"]


@pytest.fixture
def asha():
    user = User.objects.create_user("asha", "asha@desk.example", first_name="Asha")
    Invitation.objects.create(user=user)
    return user


def together(*calls):
    """Make the calls at the same time, and return what they return."""
    barrier = Barrier(len(calls))

    def wait_and_call(call):
        try:
            barrier.wait(20)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(wait_and_call, calls))


def test_of_two_passwords_set_at_once_one_is_refused(asha):
    link = invitations.link(asha).removeprefix("http://testserver")

    def tab(password):
        client = Client()
        page = client.get(link)["Location"]
        passwords = {"new_password1": password, "new_password2": password}
        return lambda: client.post(page, passwords).status_code

    statuses = together(*map(tab, PASSWORDS))
    assert sorted(statuses) == [200, 302]
    assert stored(asha).check_password(PASSWORDS[statuses.index(302)])
    assert Change.objects.filter(after={"password": "set"}).count() == 1


def test_no_link_beyond_the_limit_is_counted_at_once(asha):
    counted = together(*[Invitation.objects.get().count_link] * 8)
    assert sorted(counted) == [False] * 3 + [True] * 5
