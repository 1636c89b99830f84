"""A deactivation against updates and log-ins of the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection

from tests.concurrency.calls import CLIENTS, codes, log_in
from users.models import Session

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


def test_a_deactivation_against_updates_loses_none_of_them(at_once, user):
    User.objects.filter(pk=user.pk).update(accepting_chats=True)
    requests = [("PATCH", {"skill_attributes": {f"k{n}": n}}) for n in range(60)]
    requests.insert(30, ("PATCH", {"status": "inactive"}))
    assert codes(at_once(requests)) == {4309}
    user.refresh_from_db()
    assert user.skill_attributes == {"chess": 3} | {f"k{n}": n for n in range(60)}
    assert (user.status, user.accepting_chats) == ("inactive", False)


def test_log_ins_against_a_deactivation_leave_no_session(at_once, user):
    def try_to_log_in(_):
        try:
            log_in(user)
        except UpdateError:
            return "refused"
        finally:
            connection.close()
        return "logged in"

    for _ in range(5):
        User.objects.filter(pk=user.pk).update(status="active")
        with ThreadPoolExecutor(CLIENTS) as pool:
            log_ins = pool.map(try_to_log_in, range(20))
            answers = at_once([("PATCH", {"status": "inactive"})])
            assert set(log_ins) <= {"logged in", "refused"}
        assert codes(answers) == {4309}
        assert not Session.objects.exists()
