"""A project with a user model and an admin class of its own, as the README shows them."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.packaging import hosts
from tests.server import PROJECT

MODELS = """
from django.db import models

from users.models import AbstractUser


class Agent(AbstractUser):
    desk = models.CharField(max_length=20, blank=True)
    hired_on = models.DateField()
    mentors = models.ManyToManyField("self", blank=True)
"""

#: Makes an agent, saves and shows the page; prints what came of it.
VISIT = """
import json

import django

django.setup()
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.test.utils import setup_test_environment

from tests.admin.pages import errors, fields, send

setup_test_environment()
Agent = get_user_model()
Agent.objects.create_superuser(
    "ada", "ada@desk.example", "correct horse", first_name="Ada", hired_on="2026-01-01"
)
browser = Client()
browser.login(username="ada", password="correct horse")
path = "/admin/people/agent/"
new = {
    "first_name": "Asha", "login_id": "asha", "email_id": "asha@desk.example",
    "usable_password": "true", "password1": "correct horse", "password2": "correct horse",
}
without = send(browser, path + "add/", "agent_form", **new)
made = send(browser, path + "add/", "agent_form", **new, hired_on="2026-02-02")
agent = Agent.objects.get(login_id="asha")
page = f"{path}{agent.pk}/change/"
saved = send(browser, page, "agent_form", desk="North", hired_on="2026-03-03")
agent.refresh_from_db()
shown = browser.get(page)
print(
    json.dumps(
        {
            "errors": errors(without),
            "saved": [made.status_code, saved.status_code],
            "agent": [agent.desk, str(agent.hired_on)],
            "fields": sorted(name for name in fields(shown, "agent_form") if name[0] != "_"),
            "titles": [str(fieldset[0]) for fieldset in shown.context["adminform"].fieldsets],
            "classes": [
                type(admin.site.get_model_admin(model)).__module__ for model in (Agent, Group)
            ],
        }
    )
)
"""


def readme_admin_class():
    """Return the admin class that the README shows."""
    readme = (PROJECT / "README.md").read_text()
    return re.search(r"```python\n(# people/admin.py\n.*?)```", readme, re.DOTALL)[1]


@pytest.fixture
def visit(tmp_path):
    """Make a project with the apps in an order and with an admin module; returns what it shows."""

    def run(*arguments):
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}",
            "DJANGO_SETTINGS_MODULE": "host.settings",
        }
        command = [sys.executable, "-W", "error", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make(admin_module, apps=("people", "users")):
        files = {**hosts.SUBCLASS, "host/__init__.py": "", "people/models.py": MODELS}
        listed = "".join(f'    "{app}",\n' for app in apps)
        files["host/settings.py"] = files["host/settings.py"].replace(
            '    "people",\n    "users",\n', "" if apps[0].startswith("django") else listed
        )
        if apps[0].startswith("django"):
            files["host/settings.py"] = files["host/settings.py"].replace(
                '    "django.contrib.admin",\n', listed
            )
        if admin_module is not None:
            files["people/admin.py"] = admin_module
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        run("-m", "django", "makemigrations", "--verbosity=0", "people")
        run("-m", "django", "migrate", "--verbosity=0")
        run("-m", "django", "check")
        return json.loads(run("-c", VISIT))

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
