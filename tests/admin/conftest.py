import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import AdministratorFactory


@pytest.fixture
def superuser(db):
    return AdministratorFactory(is_superuser=True, login_id="root")


@pytest.fixture
def staff(db):
    """An administrator with every permission on users' things, but no superuser."""
    staff = AdministratorFactory(login_id="staff")
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="users"))
    return staff


def browser_of(user):
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def root_browser(superuser):
    return browser_of(superuser)


@pytest.fixture
def staff_browser(staff):
    return browser_of(staff)
