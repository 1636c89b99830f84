"""A project with a user model and an admin class of its own, as users/README.md shows them."""

import json
import re

import pytest

from tests.hosts import Host
from tests.server import PROJECT


def readme_admin_class():
    """Return the admin class that users/README.md shows."""
    readme = (PROJECT / "users" / "README.md").read_text()
    return re.search(r"```python\n(# people/admin.py\n.*?)```", readme, re.DOTALL)[1]


@pytest.fixture
def visit(tmp_path):
    """Make the project with an admin module and the apps in an order; returns what it shows."""

    def make(admin_module, apps=("people", "users")):
        host = Host(tmp_path, "own_admin_class")
        with (tmp_path / "host/settings.py").open("a") as settings:
            settings.write(
                f"first = {list(apps)}\n"
                "INSTALLED_APPS = [*first, *(app for app in INSTALLED_APPS if app not in first)]\n"
            )
        if admin_module is not None:
            host.write("people/admin.py", admin_module)
        host.manage("makemigrations", "--verbosity=0", "people")
        host.manage("migrate", "--verbosity=0")
        host.manage("check")
        return json.loads(host.run("visit.py").stdout)

    return make


ORDERS = [
    ("people", "users"),
    ("users", "people"),
    ("django.contrib.admin", "users", "people"),
]


@pytest.mark.parametrize("apps", ORDERS, ids=" ".join)
def test_a_project_has_an_admin_class_of_its_own(visit, apps):
    seen = visit(readme_admin_class(), apps)
    assert seen["classes"] == ["people.admin", "users.admin.groups"]
    assert seen["titles"][-1] == "Desk"
    assert seen["errors"] == {"hired_on": ["This field is required."]}
    assert seen["saved"] == [302, 302]
    assert seen["agent"] == ["North", "2026-03-03"]


def test_auto_now_fields_of_its_model_move_when_the_form_is_saved(visit):
    seen = visit(readme_admin_class())
    assert (seen["touched"], seen["touched in the history"]) == (True, False)


def test_its_fields_are_those_that_its_fieldsets_name(visit):
    seen = visit(
        """
from django.contrib import admin
from users.admin import UserAdmin
from people.models import Agent

@admin.register(Agent)
class AgentAdmin(UserAdmin):
    fieldsets = [("All", {"fields": ["login_id", "desk", "hired_on"]})]
    inlines = []
"""
    )
    assert seen["titles"] == ["All"]
    assert seen["fields"] == ["csrfmiddlewaretoken", "desk", "hired_on", "login_id"]


def test_without_one_ours_shows_the_fields_of_its_model(visit):
    seen = visit(None)
    assert seen["classes"] == ["users.admin.users", "users.admin.groups"]
    assert {"desk", "hired_on"} <= set(seen["fields"])
    assert seen["agent"] == ["North", "2026-03-03"]


def test_a_group_admin_class_of_its_own_stays(visit):
    seen = visit(
        """
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group

admin.site.unregister(Group)

@admin.register(Group)
class OwnGroupAdmin(GroupAdmin):
    pass
"""
    )
    assert seen["classes"] == ["users.admin.users", "people.admin"]
