"""The page that sets or disables a user's password."""

import html

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS, messages, send
from tests.database import stored
from tests.factories import PASSWORD, AdministratorFactory

User = get_user_model()


def test_a_password_that_is_set_ends_the_sessions(root_browser, user):
    browser_of(user)
    send(
        root_browser,
        f"{USERS}{user.pk}/password/",
        "user_form",
        password1="another good one",
        password2="another good one",
        usable_password="true",
    )
    assert stored(user).check_password("another good one")
    assert not stored(user).logged_in


@pytest.mark.parametrize("status", ["active", "inactive"])
def test_another_administrators_password_is_set_by_a_superuser_alone(
    staff_browser, root_browser, status
):
    other = AdministratorFactory(status=status)
    path = f"{USERS}{other.pk}/password/"
    data = {"password1": "taken over", "password2": "taken over", "usable_password": "true"}
    assert staff_browser.post(path, data).status_code == 403
    assert stored(other).check_password(PASSWORD)
    assert root_browser.get(path).status_code == 200


def test_a_button_is_there_for_who_may_set_the_password_alone(staff_browser, root_browser, user):
    other = AdministratorFactory()
    reason = "Only a superuser sets an administrator's password."
    assert reason in html.unescape(
        staff_browser.get(f"{USERS}{other.pk}/password/").content.decode()
    )
    viewer = AdministratorFactory()
    viewer.user_permissions.add(Permission.objects.get(codename="view_user"))
    for browser, whose, has_button in (
        (staff_browser, other, False),
        (staff_browser, user, True),
        (root_browser, other, True),
        (browser_of(viewer), user, False),
    ):
        page = browser.get(f"{USERS}{whose.pk}/change/").content.decode()
        assert ("../password/" in page) == has_button


@pytest.mark.parametrize("written", ["_2B{}", "{}_0A", "0_5F{}"])
def test_a_quoted_id_is_no_way_to_another_administrators_password(staff_browser, written):
    other = AdministratorFactory()
    path = f"{USERS}{written.format(other.pk)}/password/"
    data = {"password1": "taken over", "password2": "taken over", "usable_password": "true"}
    assert staff_browser.post(path, data).status_code == 403
    assert stored(other).check_password(PASSWORD)


def disable_password(browser, user):
    data = {"usable_password": "false", "unset-password": "yes"}
    return browser.post(f"{USERS}{user.pk}/password/", data, follow=True)


def test_nobody_disables_his_own_password(root_browser, superuser):
    AdministratorFactory(is_superuser=True)
    response = disable_password(root_browser, superuser)
    assert messages(response) == ["You cannot take away your own access."]
    assert stored(superuser).has_usable_password()


def test_the_last_password_of_a_superuser_stays(root_browser, superuser):
    other = AdministratorFactory(is_superuser=True)
    User.objects.filter(pk=superuser.pk).update(password="!")  # lets nobody in: by single sign-on
    root_browser.force_login(stored(superuser))
    response = disable_password(root_browser, other)
    assert messages(response) == ["No other active superuser has a password."]
    assert stored(other).has_usable_password()


def test_a_superuser_disables_the_password_of_another(root_browser, user):
    other = AdministratorFactory(is_superuser=True)
    for target in (user, other):
        disable_password(root_browser, target)
        assert not stored(target).has_usable_password()
