"""Superusers who take each other's access away at the same moment: one stays."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from tests.admin.conftest import browser_of
from tests.admin.pages import fields
from tests.concurrency.calls import CLIENTS
from tests.factories import AdministratorFactory, MembershipFactory

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


def test_superusers_who_are_made_inactive_at_once_leave_one(server, call, team):
    superusers = AdministratorFactory.create_batch(4, is_superuser=True)
    for superuser in superusers:
        MembershipFactory(user=superuser, team=team)
    headers = {**call.headers, "Content-Type": "application/json"}

    def make_inactive(superuser):
        _, envelope = server.call(f"/api/users/{superuser.pk}", {"status": "inactive"}, headers)
        return envelope["status_code"]

    for _ in range(10):
        User.objects.update(status="active")
        with ThreadPoolExecutor(CLIENTS) as pool:
            codes = list(pool.map(make_inactive, superusers))
        assert sorted(codes) == [3115, 4309, 4309, 4309]
        assert User.objects.filter(is_superuser=True, status="active").count() == 1


def deactivate_by_form(browser, user):
    path = f"/admin/users/user/{user.pk}/change/"
    data = fields(browser.get(path), "user_form") | {"status": "inactive"}
    return lambda: browser.post(path, data)


def deactivate_by_action(browser, user):
    data = {"action": "deactivate", "_selected_action": [user.pk], "confirmed": "yes"}
    return lambda: browser.post("/admin/users/user/", data)


def disable_password(browser, user):
    data = {"usable_password": "false", "unset-password": "yes"}
    return lambda: browser.post(f"/admin/users/user/{user.pk}/password/", data)


def delete(browser, user):
    return lambda: browser.post(f"/admin/users/user/{user.pk}/delete/", {"post": "yes"})


@pytest.mark.parametrize(
    "take", [deactivate_by_form, deactivate_by_action, disable_password, delete]
)
def test_of_two_superusers_who_keep_each_other_out_one_stays(take):
    for _ in range(5):
        User.objects.all().delete()
        one, other = AdministratorFactory.create_batch(2, is_superuser=True)
        requests = [take(browser_of(one), other), take(browser_of(other), one)]
        start = threading.Barrier(2)

        def send(request, start=start):
            start.wait()
            try:
                return request().status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert set(pool.map(send, requests)) <= {200, 302, 400, 403}
        left = [u for u in User.objects.all() if u.is_active and u.has_usable_password()]
        assert left
