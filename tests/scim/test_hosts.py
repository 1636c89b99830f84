"""SCIM in projects of strangers: mounted elsewhere, with their own user model, and not at all."""

import json
import subprocess
import sys

import pytest

from tests.hosts import Host
from tests.server import PROJECT

URLS = """
from django.urls import include, path

urlpatterns = [
    path("people-ops/directory/", include("users.scim.urls")),
    path("api/", include("users.urls")),
]
"""

VISIT = """
import json
import sys

import django

django.setup()
from django.contrib.auth import get_user_model
from django.test import Client

from users.models import AccessToken, Team

root = "/people-ops/directory"
team = Team.objects.create(name="Provisioned")
_, secret = AccessToken.objects.issue("Entra", [], scim_team=team)


def call(method, path, body=None):
    response = Client().generic(
        method,
        root + path,
        json.dumps(body) if body else "",
        content_type="application/scim+json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    return [response.status_code, json.loads(response.content or "null"), dict(response.headers)]


user = {
    "userName": "babs",
    "name": {"givenName": "Babs"},
    "emails": [{"value": "babs@desk.example"}],
}
seen = {"created": call("POST", "/Users", user)}
path = "/Users/" + seen["created"][1]["id"]
disable = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "Replace", "path": "active", "value": "False"}],
}
seen["disabled"] = call("PATCH", path, disable)
seen["listed"] = call("GET", "/Users/")
seen["group"] = call("POST", "/Groups", {"displayName": "Agents"})
seen["config"] = call("GET", "/ServiceProviderConfig")
seen["schemas"] = call("GET", "/Schemas")
seen["deleted"] = call("DELETE", path)
seen["back"] = call("POST", "/Users", user)
seen["wrong"] = call("POST", "/Users", {"userName": "x"})
seen["elsewhere"] = Client().get("/scim/v2/Users").status_code
seen["model"] = get_user_model()._meta.label
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What the callers of a project with a user model of its own see."""
    host = Host(tmp_path_factory.mktemp("project"), "subclass")
    host.write("host/urls.py", URLS)
    host.write("scim.py", VISIT)
    host.manage("makemigrations", "--verbosity=0", "people")
    host.manage("migrate", "--verbosity=0")
    host.manage("check")
    return json.loads(host.run("scim.py").stdout)


def test_a_user_of_the_projects_own_model_is_made_and_changed(seen):
    assert seen["model"] == "people.Agent"
    assert [seen[name][0] for name in ("created", "disabled", "deleted")] == [201, 200, 204]
    assert seen["disabled"][1]["active"] is False
    assert seen["back"][0] == 201
    assert seen["back"][1]["id"] == seen["created"][1]["id"]


def test_it_answers_where_it_is_mounted(seen):
    user_id = seen["created"][1]["id"]
    locations = {
        seen["created"][2]["Location"],
        seen["created"][1]["meta"]["location"],
        seen["listed"][1]["Resources"][0]["meta"]["location"],
    }
    assert locations == {f"http://testserver/people-ops/directory/Users/{user_id}"}
    group = seen["group"][1]
    assert group["meta"]["location"].endswith(f"/people-ops/directory/Groups/{group['id']}")
    for schema in seen["schemas"][1]["Resources"]:
        assert "/people-ops/directory/Schemas/" in schema["meta"]["location"]
    assert "/people-ops/directory/" in seen["config"][1]["meta"]["location"]
    assert seen["elsewhere"] == 404


def test_a_refusal_is_scims(seen):
    status, body, headers = seen["wrong"]
    assert (status, body["status"], body["scimType"]) == (400, "400", "invalidValue")
    assert headers["Content-Type"].startswith("application/scim+json")


WITHOUT_THE_EXTRA = """
import sys

for name in ("scim2_models", "scim2_server", "pydantic"):
    sys.modules[name] = None  # as if it were not installed
"""

LOADED = """
import json
import sys

import django

django.setup()
from django.core.management import call_command
from django.urls import get_resolver

call_command("check")
get_resolver().url_patterns  # of the project, imported

found = [name for name, module in sys.modules.items() if module is not None]
print(json.dumps([name for name in found if name.startswith(("scim2_", "pydantic", "users.scim"))]))
"""


def modules_after(script, folder, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": f"{folder}:{PROJECT}", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_project_that_does_not_mount_it_loads_none_of_it(tmp_path):
    host = Host(tmp_path, "own_user")
    assert modules_after(LOADED, host.folder, DJANGO_SETTINGS_MODULE="host.settings") == []


@pytest.mark.parametrize("settings", ["host.settings", "config.settings"])
def test_without_the_extra_all_else_works(tmp_path, settings):
    host = Host(tmp_path, "own_user")
    loaded = modules_after(
        WITHOUT_THE_EXTRA + LOADED,
        host.folder,
        DJANGO_SETTINGS_MODULE=settings,
        SECRET_KEY="x",
        DEBUG="on",
        DATABASE_URL="sqlite:///:memory:",
    )
    assert loaded == []
