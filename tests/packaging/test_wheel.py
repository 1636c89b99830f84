"""The wheel, installed into an environment with nothing else, in projects of strangers."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.hosts import Host
from tests.server import PROJECT
from users import __version__


def plug_in():
    """Return the part of the README for a host."""
    return (PROJECT / "README.md").read_text().partition("\n## Plug it")[2].partition("\n## ")[0]


def run(*command, cwd, **environment):
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter that has the wheel and what it depends on, by the README's commands."""
    if shutil.which("uv") is None:
        reason = "uv is not installed (pip install uv)"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    clone = tmp_path_factory.mktemp("clone")
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(PROJECT / name, clone)
    shutil.copytree(PROJECT / "users", clone / "users")
    run("uv", "venv", "--quiet", "--seed", "--python", sys.executable, "env", cwd=clone)
    commands = re.findall("^    (pip .*)$", plug_in(), re.MULTILINE)
    assert len(commands) == 2
    path = f"{clone / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        run("sh", "-c", command, cwd=clone, PATH=path)
    return clone / "env" / "bin" / "python"


@pytest.fixture(scope="module")
def wheel(python):
    [built] = (python.parent.parent.parent / "dist").glob("*.whl")
    return built


def test_it_holds_the_app_alone(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    app = {
        str(file.relative_to(PROJECT))
        for file in (PROJECT / "users").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == app


def test_it_says_what_it_is(wheel):
    archive = zipfile.ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = archive.read(name).decode()
    assert f"\nVersion: {__version__}\n" in metadata
    required = set(re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE))
    assert required == {"django", "django-environ", "djangorestframework"}


def readme_settings():
    """Return the settings that the README prints for a host."""
    block = re.search(r"```python\n# settings.py\n(.*?)\n# urls.py", plug_in(), re.DOTALL)[1]
    needed = block.replace("INSTALLED_APPS = [", "INSTALLED_APPS += [").replace(", ...]", "]")
    needed = needed.replace("MIDDLEWARE = [..., ", "MIDDLEWARE += [")
    without = 'MIDDLEWARE.remove("users.middleware.ActingMiddleware")'
    return f"from host.base import *\n{without}\n{needed}"


@pytest.fixture
def host(request, tmp_path, python):
    if request.param == "what the README prints":
        host = Host(tmp_path, "own_user", python)
        host.write("host/settings.py", readme_settings())
        return host
    return Host(tmp_path, request.param, python)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("what the README prints", "/api/users/{}"),
        ("own_user", "/api/users/{}"),
        ("subclass", "/api/users/{}"),
        ("own_authentication", "/people-ops/v2/users/{}"),
    ],
    indirect=["host"],
)
def test_it_works_in_a_project_with(host, path):
    if (host.folder / "people").exists():
        host.manage("makemigrations", "people")
    host.manage("makemigrations", "--check", "--dry-run")
    host.manage("migrate", "--verbosity=0")

    checked = host.manage("check", "--database=default").stderr
    settings = (host.folder / "host/settings.py").read_text()
    forgotten = [] if "SESSION_ENGINE" in settings else ["users.W001", "users.W005"]
    assert re.findall(r"\((\w+\.[WE]\d+)\)", checked) == forgotten, checked

    user, team = host.run("seed.py").stdout.split()[-2:]
    token = host.manage("create_access_token", "HR", "--team", team).stdout.strip()
    if (host.folder / "host/views.py").exists():  # which takes tokens that the host signs
        sign = f"from django.core import signing; print(signing.dumps({{'teams': [{team}]}}))"
        token = host.manage("shell", "-v0", "-c", sign).stdout.split()[-1]

    seen = json.loads(host.run("visit.py", path.format(user), token, team).stdout)
    assert seen["updated"][:2] == [200, 4309]
    assert seen["updated"][2]["first_name"] == "Zoë"
    assert seen["updated"][2]["skill_attributes"] == {"level": 3}
    assert seen["invalid"] == [400, 3115, {"errors": {"desk": ["There is no such parameter."]}}]
    assert seen["stranger"][:2] == [400, 2003]
    assert seen["other team"][:2] == [404, 2010]
    assert seen["logged in"]
    assert seen["pages"] == [200, 200]
    assert 'value="asha"' in seen["page"]
