"""`create_groups`: the groups of the admin site."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from tests.admin.conftest import browser_of
from tests.factories import AdministratorFactory
from users.groups import GROUPS

pytestmark = pytest.mark.django_db


def create_groups():
    output = io.StringIO()
    call_command("create_groups", stdout=output)
    return output.getvalue()


def test_it_creates_the_groups(db):
    assert create_groups() == (
        "Operators: created; permissions added: 17.\n"
        "Team managers: created; permissions added: 11.\n"
        "Auditors: created; permissions added: 6.\n"
    )
    assert set(Group.objects.values_list("name", flat=True)) == set(GROUPS)


def test_run_again_it_adds_what_is_missing_and_takes_nothing_away():
    create_groups()
    auditors = Group.objects.get(name="Auditors")
    more = Permission.objects.get(codename="delete_team")
    auditors.permissions.add(more)
    auditors.permissions.remove(Permission.objects.get(codename="view_user"))
    assert "Auditors: was there already; permissions added: 1." in create_groups()
    assert auditors.permissions.filter(pk=more.pk).exists()
    assert auditors.permissions.count() == 7


def test_without_the_permissions_it_says_what_to_run():
    Permission.objects.filter(codename="view_user").delete()
    with pytest.raises(CommandError, match=r"run manage\.py migrate first"):
        create_groups()
    assert not Group.objects.exists()


@pytest.mark.parametrize(
    ("name", "pages", "refused"),
    [
        (
            "Operators",
            [
                "user/",
                "user/add/",
                "team/add/",
                "membership/add/",
                "attributedefinition/add/",
                "change/",
            ],
            ["accesstoken/"],
        ),
        ("Team managers", ["user/", "membership/add/", "change/"], ["user/add/", "team/add/"]),
        (
            "Auditors",
            ["user/", "team/", "membership/", "attributedefinition/", "accesstoken/", "change/"],
            ["user/add/", "team/add/", "membership/add/", "accesstoken/add/"],
        ),
    ],
)
def test_its_members_may_enter(name, pages, refused):
    create_groups()
    member = AdministratorFactory()
    member.groups.add(Group.objects.get(name=name))
    browser = browser_of(member)
    for page in pages:
        assert browser.get(f"/admin/users/{page}").status_code == 200, page
    for page in refused:
        assert browser.get(f"/admin/users/{page}").status_code == 403, page
