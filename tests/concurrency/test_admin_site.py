"""What happens on admin pages at the same moment: rights taken away, and locks in one order."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection, transaction

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS, fields, user_page
from tests.database import row, stored
from tests.factories import (
    PASSWORD,
    AdministratorFactory,
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from users.models import Membership

pytestmark = [pytest.mark.django_db(transaction=True), on_postgresql]

User = get_user_model()


def give_permissions(user):
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="users"))


def save(browser, user, **changes):
    data = fields(browser.get(user_page(user)), "user_form") | changes
    return lambda: browser.post(user_page(user), data)


def make_superuser(browser, user):
    return save(browser, user, is_superuser="on", role_type="Administrative")


def act(action, **answers):
    def ready(browser, *users):
        chosen = {"action": action, "_selected_action": [user.pk for user in users]}
        return lambda: browser.post(USERS, chosen | {"confirmed": "yes"} | answers)

    return ready


deactivate = act("deactivate")
delete_selected = act("delete_selected", post="yes")


def set_attribute(browser, *users, value="Retail"):
    definition = AttributeDefinitionFactory().pk
    answers = {"definition": definition, "asked": definition, "value": value}
    return act("set_custom_attribute", **answers)(browser, *users)


def add_to_team(browser, *users):
    return act("add_to_team", team=TeamFactory().pk, role="Team Agent")(browser, *users)


def set_password(browser, user):
    password = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    return lambda: browser.post(f"{USERS}{user.pk}/password/", password)


def delete(browser, user):
    return lambda: browser.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})


def change_role(browser, user):
    path = f"/admin/users/membership/{MembershipFactory(user=user).pk}/change/"
    data = fields(browser.get(path), "membership_form") | {"role": "Team Manager"}
    return lambda: browser.post(path, data)


def change_listed_role(browser, user):
    MembershipFactory(user=user)
    path = f"/admin/users/membership/?user={user.pk}"
    data = fields(browser.get(path), "changelist-form") | {"form-0-role": "Team Manager"}
    data |= {"_save": "Save"}
    return lambda: browser.post(path, data)


def closing(request):
    try:
        return request()
    finally:
        connection.close()


def after_a_wait(request, change, *locked):
    """Make `change` while the users `locked` are locked and `request` waits for them."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(User.objects.filter(pk__in=[u.pk for u in locked]).select_for_update())
            response = pool.submit(closing, request)
            wait_until_somebody_waits_for_a_lock()
            change()
        return response.result(30)


def at_once(*requests):
    """Send the requests at once, and return the HTTP statuses."""
    start = threading.Barrier(len(requests))

    def send(request):
        start.wait()
        return closing(request).status_code

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


DOORS = [
    make_superuser,
    deactivate,
    set_attribute,
    add_to_team,
    delete_selected,
    delete,
    set_password,
    change_role,
    change_listed_role,
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("is_superuser", "lost"),
    [(True, {"status": "inactive"}), (False, {"role_type": "Customer Care"})],
)
def test_who_lost_access_while_the_request_waited_changes_nothing(door, is_superuser, lost):
    superuser = AdministratorFactory(is_superuser=True)
    actor = AdministratorFactory(is_superuser=is_superuser)
    give_permissions(actor)
    user = UserFactory()
    request = door(browser_of(actor), user)
    before = row(user), list(Membership.objects.values())

    def take():
        User.objects.filter(pk=actor.pk).update(is_superuser=False, **lost)

    assert after_a_wait(request, take, actor, superuser).status_code == 403
    assert (row(user), list(Membership.objects.values())) == before
    assert not LogEntry.objects.exists()


def test_who_became_a_plain_administrator_while_the_request_waited_makes_no_superuser():
    one, other = AdministratorFactory.create_batch(2, is_superuser=True)
    give_permissions(one)
    user = UserFactory()
    browser = browser_of(one)
    requests = [make_superuser(browser, user), set_password(browser, other)]

    def demote():
        User.objects.filter(pk=one.pk).update(is_superuser=False)

    after_a_wait(requests[0], demote, one)
    User.objects.filter(pk=one.pk).update(is_superuser=True)
    assert after_a_wait(requests[1], demote, one).status_code == 403
    assert (stored(user).is_superuser, stored(user).role_type) == (False, "Customer Care")
    assert stored(other).password == other.password


@pytest.mark.parametrize("door", [set_attribute, add_to_team, change_role, change_listed_role])
@pytest.mark.parametrize("is_superuser", [True, False])
def test_two_administrators_change_each_other_at_once(door, is_superuser):
    one, other = AdministratorFactory.create_batch(2, is_superuser=is_superuser)
    for user in (one, other):
        give_permissions(user)
    for _ in range(5):
        Membership.objects.all().delete()
        requests = door(browser_of(one), other), door(browser_of(other), one)
        assert at_once(*requests) == [302, 302]


def test_a_bulk_action_on_a_user_and_a_superuser_against_the_page_of_the_user():
    user = UserFactory()
    one, other, third = AdministratorFactory.create_batch(3, is_superuser=True)
    for n in range(5):
        job = save(browser_of(other), user, job_description=f"Desk {n}")
        bulk = set_attribute(browser_of(one), user, other, third, value=f"{n}")
        assert at_once(bulk, job) == [302, 302]


def test_of_two_superusers_who_delete_each_other_one_is_deleted_and_logged():
    for _ in range(5):
        LogEntry.objects.all().delete()
        User.objects.all().delete()
        one, other = AdministratorFactory.create_batch(2, is_superuser=True)
        requests = delete_selected(browser_of(one), other), delete_selected(browser_of(other), one)
        assert set(at_once(*requests)) <= {302, 403}
        left = User.objects.get()
        assert LogEntry.objects.get().user == left
