"""A list of users that a project makes editable (`list_editable`)."""

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from tests.admin.conftest import browser_of
from tests.admin.pages import fields
from tests.factories import AdministratorFactory, UserFactory

User = get_user_model()
LIST = "/admin/users/user/"


@pytest.fixture(autouse=True)
def editable(monkeypatch):
    user_admin = type(admin.site.get_model_admin(User))
    editable = ("job_description", "status", "role_type")
    monkeypatch.setattr(user_admin, "list_display", ("login_id", *editable))
    monkeypatch.setattr(user_admin, "list_editable", editable)


def save(browser, user, **changes):
    data = fields(browser.get(LIST), "changelist-form")
    number = next(n for n in range(100) if data.get(f"form-{n}-id") == [str(user.pk)])
    data |= {f"form-{number}-{name}": value for name, value in changes.items()}
    return browser.post(LIST, {**data, "_save": "Save"})


@pytest.fixture
def clerk(db):
    clerk = AdministratorFactory()
    codenames = ["change_user", "view_user"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return clerk


def test_a_row_is_saved(clerk):
    user = UserFactory()
    assert save(browser_of(clerk), user, job_description="Team lead").status_code == 302
    assert User.objects.get(pk=user.pk).job_description == "Team lead"


def test_a_superuser_and_a_role_type_are_superusers_alone(clerk):
    superuser, user = AdministratorFactory(is_superuser=True), UserFactory()
    save(browser_of(clerk), superuser, job_description="Fired", status="inactive")
    save(browser_of(clerk), user, role_type="Administrative")
    stored = User.objects.get(pk=superuser.pk)
    assert (stored.job_description, stored.status) == ("", "active")
    assert User.objects.get(pk=user.pk).role_type == "Customer Care"


def test_nobody_takes_his_own_access_away(clerk):
    response = save(browser_of(clerk), clerk, status="inactive")
    assert "You cannot take away your own access." in response.content.decode()
    assert User.objects.get(pk=clerk.pk).status == "active"
