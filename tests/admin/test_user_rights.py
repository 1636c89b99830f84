"""Who may see and change what, and who keeps access."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS, errors, fields, save_user, user_page
from tests.assertions import assert_updated
from tests.database import stored
from tests.factories import AdministratorFactory
from users.admin.access import access_removal_error

User = get_user_model()


@pytest.mark.parametrize("target", ["self", "other"])
def test_nobody_but_a_superuser_raises_rights(staff_browser, staff, user, target):
    target = {"self": staff, "other": user}[target]
    group = Group.objects.create(name="Bosses")
    permissions = set(target.user_permissions.all())
    response = save_user(
        staff_browser,
        target,
        first_name="Zoë",
        is_superuser="on",
        role_type="Administrative",
        groups=[group.pk],
        user_permissions=["1", "2"],
        **{"initial-is_superuser": "", "initial-role_type": ""},
    )
    assert response.status_code == 302
    saved = stored(target)
    assert (saved.first_name, saved.is_superuser, saved.role_type) == (
        "Zoë",
        False,
        target.role_type,
    )
    assert not saved.groups.exists()
    assert set(saved.user_permissions.all()) == permissions


@pytest.mark.parametrize("status", ["active", "inactive"])
def test_nobody_but_a_superuser_changes_what_another_administrator_logs_in_with(
    staff_browser, root_browser, status
):
    other = AdministratorFactory(login_id="other", email_id="other@desk.example", status=status)
    changes = {"login_id": "mine", "email_id": "mine@desk.example", "login_using_email": "on"}
    shown = {"login_id": "other", "email_id": "other@desk.example", "login_using_email": "False"}
    hand_made = {
        "first_name": "Zoë",
        **changes,
        "_shown_values": json.dumps({**shown, "first_name": "Asha"}),
    }

    def names():
        saved = stored(other)
        return saved.first_name, saved.login_id, saved.email_id, saved.login_using_email

    save_user(staff_browser, other, **hand_made)
    assert names() == ("Zoë", "other", "other@desk.example", False)
    save_user(root_browser, other, **changes)
    assert names() == ("Zoë", "mine", "mine@desk.example", True)


@pytest.mark.parametrize("whose", ["self", "a Customer Care user"])
def test_what_others_log_in_with_is_a_clerks_to_change(staff_browser, staff, user, whose):
    target = {"self": staff, "a Customer Care user": user}[whose]
    save_user(staff_browser, target, login_id="new", email_id="new@desk.example")
    assert (stored(target).login_id, stored(target).email_id) == ("new", "new@desk.example")


def test_a_superuser_gives_rights(root_browser, user):
    group = Group.objects.create(name="Bosses")
    save_user(root_browser, user, role_type="Administrative")
    save_user(root_browser, user, is_superuser="on", groups=[group.pk])
    assert (stored(user).is_superuser, stored(user).is_staff) == (True, True)
    assert stored(user).groups.get() == group


def test_rights_are_shown_of_those_who_may_enter(root_browser, user):
    page = fields(root_browser.get(user_page(user)), "user_form")
    assert "role_type" in page
    assert b'name="user_permissions"' not in root_browser.get(user_page(user)).content
    save_user(root_browser, user, role_type="Administrative")
    assert titles(root_browser.get(user_page(user)))[-1] == "Access"
    assert b'name="user_permissions"' in root_browser.get(user_page(user)).content


def test_who_may_give_no_rights_sees_none_of_an_agent(staff_browser, user):
    sections = titles(staff_browser.get(user_page(user)))
    assert sections == ["Basic details", "Business details", "Skills", "Log-in"]


def test_who_may_give_no_rights_sees_those_of_an_administrator(staff, staff_browser):
    assert titles(staff_browser.get(user_page(staff)))[-1] == "Access"


def titles(page):
    return [str(fieldset.name) for fieldset in page.context["adminform"]]


def test_a_superusers_account_is_only_shown_to_others(staff_browser, superuser, business):
    page = staff_browser.get(user_page(superuser))
    assert page.status_code == 200
    assert b'name="first_name"' not in page.content
    assert staff_browser.post(user_page(superuser), {"first_name": "Zoë"}).status_code == 403
    assert staff_browser.get(f"{USERS}{superuser.pk}/password/").status_code == 403
    assert staff_browser.post(f"{USERS}{superuser.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=superuser.pk, first_name="Asha").exists()


def test_groups_are_changed_by_a_superuser_alone(staff, staff_browser, root_browser):
    staff.user_permissions.set(Permission.objects.all())
    group = Group.objects.create(name="Bosses")
    path = f"/admin/auth/group/{group.pk}/change/"
    assert staff_browser.post(path, {"name": "Bosses", "permissions": [1]}).status_code == 403
    assert root_browser.get(path).status_code == 200


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("status", {"status": "inactive"}),
        ("role_type", {"role_type": "Customer Care"}),
        ("is_superuser", {"is_superuser": None}),
    ],
)
def test_nobody_takes_his_own_access_away(root_browser, superuser, field, changes):
    AdministratorFactory(is_superuser=True)
    response = save_user(root_browser, superuser, **changes)
    assert errors(response) == {field: ["You cannot take away your own access."]}


def test_a_staff_user_cannot_deactivate_himself(staff_browser, staff):
    assert list(errors(save_user(staff_browser, staff, status="inactive"))) == ["status"]


def test_a_superuser_deactivates_another(root_browser):
    other = AdministratorFactory(is_superuser=True)
    save_user(root_browser, other, status="inactive")
    assert not stored(other).is_active


def test_a_customer_care_user_does_not_enter(user):
    assert browser_of(user).get(USERS).status_code == 302


def test_an_administrator_without_permissions_sees_nothing(db, user):
    browser = browser_of(AdministratorFactory())
    assert browser.get("/admin/").status_code == 200
    for path in (USERS, user_page(user)):
        assert browser.get(path).status_code == 403


def test_the_last_superuser_stays_even_for_one_who_is_none(staff, superuser):
    other = AdministratorFactory(is_superuser=True, status="inactive")
    last = "The last active superuser cannot lose access."
    assert access_removal_error(staff, [superuser], {superuser.pk}) == last
    assert access_removal_error(staff, [other], {superuser.pk}) is None


def test_a_deactivated_administrator_is_thrown_out_at_the_next_click(call, user, superuser):
    user.role_type, user.is_superuser = "Administrative", True
    user.save()
    browser = browser_of(user)
    assert browser.get(USERS).status_code == 200
    assert_updated(call({"status": "inactive"}))
    assert browser.get(USERS).status_code == 302
    assert Client().get(USERS).status_code == 302
