"""Makes an agent, saves and shows the page, and prints what came of it."""

import json

import django

django.setup()
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.test.utils import setup_test_environment

from tests.admin.pages import errors, fields, send
from users.models import Change

setup_test_environment()
Agent = get_user_model()
Agent.objects.create_superuser(
    "ada", "ada@desk.example", "correct horse", first_name="Ada", hired_on="2026-01-01"
)
browser = Client()
browser.login(username="ada", password="correct horse")
path = "/admin/people/agent/"
new = {
    "first_name": "Asha",
    "login_id": "asha",
    "email_id": "asha@desk.example",
    "usable_password": "true",
    "password1": "correct horse",
    "password2": "correct horse",
}
without = send(browser, path + "add/", "agent_form", **new)
made = send(browser, path + "add/", "agent_form", **new, hired_on="2026-02-02")
agent = Agent.objects.get(login_id="asha")
touched_at = agent.touched_at
page = f"{path}{agent.pk}/change/"
saved = send(browser, page, "agent_form", desk="North", hired_on="2026-03-03")
agent.refresh_from_db()
agent_changes = Change.objects.filter(user_id=agent.pk).latest("pk").after
shown = browser.get(page)
print(
    json.dumps(
        {
            "errors": errors(without),
            "touched": agent.touched_at > touched_at,
            "touched in the history": "touched_at" in agent_changes,
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
