"""What changes while a call waits for the user's row."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from tests.concurrency.calls import log_in
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from users.models import Membership

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


@pytest.fixture
def after_a_wait(server, call, user):
    """Do something while the user is locked and a call waits for that; returns its envelope."""

    def make(change):
        headers = {**call.headers, "Content-Type": "application/json"}
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=user.pk)
                answer = pool.submit(server.call, call.path, {"first_name": "Zoë"}, headers)
                wait_until_somebody_waits_for_a_lock()
                change()
            return answer.result(30)[1]

    return make


@on_postgresql
def test_who_left_the_team_while_the_call_waited_is_not_updated(after_a_wait, user):
    envelope = after_a_wait(lambda: Membership.objects.filter(user=user).delete())
    assert envelope["status_code"] == 3101
    user.refresh_from_db()
    assert user.first_name == "Asha"


@on_postgresql
def test_who_logged_in_while_the_call_waited_is_logged_in(after_a_wait, user):
    envelope = after_a_wait(lambda: log_in(user))
    assert (envelope["status_code"], envelope["response"]["logged_in"]) == (4309, True)
