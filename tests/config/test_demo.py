"""`manage.py demo`, in a copy of the project that has nothing else: as a new user meets it."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.server import PROJECT, free_port, wait_until_it_listens
from users.api.openapi.list_users import SEARCH_EXAMPLE

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def copy_project(folder: Path) -> Path:
    shutil.copy(PROJECT / "manage.py", folder)
    for name in ("config", "users"):
        shutil.copytree(PROJECT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    return copy_project(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def own_clone(tmp_path) -> Path:
    return copy_project(tmp_path)


def sql(clone: Path, statement: str) -> list:
    with closing(sqlite3.connect(clone / "demo.sqlite3")) as database, database:
        return database.execute(statement).fetchall()


@contextmanager
def demo(clone, *arguments, **environment):
    """Start the demo; gives what it printed. Stops it as Control-C does."""
    port = free_port()
    output = clone / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port), *arguments],
            cwd=clone,
            env={"PATH": os.environ["PATH"], **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            # A shell has what it runs in the background ignore Ctrl+C, and the tests with it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        wait_until_it_listens(port, process)
        yield output.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        returned = process.wait(30)
    assert returned == 0


def paste(printed: str, *changed: str) -> dict:
    """Run the `curl` that the demo printed, and return the envelope that it got.

    changed: a part of the command, and what stands there instead.
    """
    command = re.search(r"^curl .*?[^\\]$", printed, re.MULTILINE | re.DOTALL).group()
    if changed:
        assert changed[0] in command
        command = command.replace(*changed)
    got = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    return json.loads(got.partition("\n\n")[2])


def test_the_printed_call_works_and_what_it_did_is_kept(clone):
    with demo(clone) as printed:
        first, second = paste(printed), paste(printed)
        assert re.search(
            "^API page: +http://127.0.0.1:[0-9]+/api/schema/page/$", printed, re.MULTILINE
        )
        password = re.search(r"password (\S+) \(shown this once\)", printed).group(1)
    assert first["status_code"] == 4309
    assert first["response"]["custom_attributes"]["business"] == "Banking"
    assert second == first  # `updated_at` too: it changed nothing
    with demo(clone) as printed:
        assert password not in printed
        assert "admin or olga, with the password that the first run showed" in printed
        assert paste(printed) == first


def token_in(printed):
    return re.search(r"Bearer (\S+)'", printed).group(1)


def ask(printed: str, path: str, method: str, body: object = None) -> dict:
    """Make a call of the demo with the token that it printed, and return the envelope."""
    server = re.search(r"http://127\.0\.0\.1:[0-9]+", printed).group()
    headers = {"Authorization": f"Bearer {token_in(printed)}", "teamid": "1"}
    headers["Content-Type"] = "application/json"
    request = Request(server + path, json.dumps(body).encode(), headers, method=method)
    with urlopen(request, timeout=30) as response:
        return json.load(response)


def test_each_example_of_the_api_page_succeeds_as_it_stands(own_clone):
    with demo(own_clone) as printed:
        answered = {}
        for path, methods in ask(printed, "/api/schema/?format=json", "GET")["paths"].items():
            for method, call in methods.items():
                content = call.get("requestBody", {}).get("content", {})
                for example in content.get("application/json", {}).get("examples", {}).values():
                    of_asha = path.replace("{user_id}", "1")
                    envelope = ask(printed, of_asha, method.upper(), example["value"])
                    answered[call["operationId"]] = envelope["status_code"]
    assert answered == {
        "createUser": 4308,
        "updateUsers": 4309,
        "updateUser": 4309,
        "replaceUserAttributes": 4309,
        "searchUsers": 4307,
    }


def test_the_search_of_the_api_page_finds_somebody(own_clone):
    with demo(own_clone) as printed:
        found = ask(printed, "/api/users/search", "POST", SEARCH_EXAMPLE)["response"]["users"]
    assert [user["login_id"] for user in found] == ["asha"]


def test_the_token_is_kept(own_clone):
    with demo(own_clone) as first:
        pass
    with demo(own_clone) as second:
        pass
    assert token_in(second) == token_in(first)
    assert sql(own_clone, "SELECT count(*) FROM users_accesstoken") == [(1,)]
    for name in ("demo.sqlite3-token", ".demo-secret-key"):
        assert (own_clone / name).stat().st_mode & 0o777 == 0o600


def test_a_token_that_lets_nobody_in_is_replaced(own_clone):
    def lose(file):
        (own_clone / file).unlink()

    with demo(own_clone) as printed:
        pass
    for spoil in (
        lambda: sql(own_clone, "UPDATE users_accesstoken SET revoked_at = created_at"),
        lambda: sql(own_clone, "UPDATE users_accesstoken SET expires_at = created_at"),
        lambda: sql(own_clone, "DELETE FROM users_accesstoken_teams"),
        lambda: lose("demo.sqlite3-token"),
        lambda: lose("demo.sqlite3"),
    ):
        before = token_in(printed)
        spoil()
        with demo(own_clone) as printed:
            assert paste(printed)["status_code"] == 4309
        assert token_in(printed) != before


def test_what_was_changed_by_hand_stays(own_clone):
    with demo(own_clone):
        pass
    sql(own_clone, "UPDATE users_user SET login_id = 'x' || login_id, login_key = 'x' || login_key")
    sql(own_clone, "UPDATE users_team SET name = 'Sales'")
    sql(own_clone, "DELETE FROM users_attributedefinition WHERE name = 'languages'")
    users = sql(own_clone, "SELECT id, login_id, email_id FROM users_user")
    with demo(own_clone) as printed:
        assert "Log in as:  xadmin, with the password" in printed
        assert paste(printed)["response"]["login_id"] == "xasha"
    assert sql(own_clone, "SELECT id, login_id, email_id FROM users_user") == users
    assert sql(own_clone, "SELECT name FROM users_team") == [("Sales",)]
    assert sql(own_clone, "SELECT count(*) FROM users_attributedefinition") == [(3,)]


def test_without_a_user_in_a_team_there_is_no_call_to_print(own_clone):
    with demo(own_clone):
        pass
    sql(own_clone, "DELETE FROM users_membership")
    with demo(own_clone) as printed:
        assert "curl" not in printed
        assert "Admin site:" in printed


def test_a_port_that_is_taken_is_said_before_all_else(own_clone):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = subprocess.run(
            [sys.executable, "-B", "manage.py", "demo", f"--port={port}"],
            cwd=own_clone,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
    assert process.returncode == 1
    assert f"CommandError: Port {port} of 127.0.0.1 cannot be used: " in process.stderr
    assert process.stdout == ""
    # The system checks of Django 6.1 connect to the database, which makes an empty one.
    assert sql(own_clone, "SELECT name FROM sqlite_master") == []


@pytest.mark.parametrize(
    ("content_type", "number"),
    [
        ("Content-Type:", 4309),
        ("Content-Type: text/plain", 3115),
        ("Transfer-Encoding: chunked", 3114),
    ],
)
def test_it_serves_by_the_contract(clone, content_type, number):
    with demo(clone) as printed:
        envelope = paste(printed, "Content-Type: application/json", content_type)
    assert envelope["status_code"] == number


def test_it_never_touches_the_configured_database(clone):
    (clone / ".env").write_text("DATABASE_URL=postgresql://nobody@db.invalid/production\n")
    with demo(clone) as printed:
        assert f"Database:   {clone / 'demo.sqlite3'}" in printed
    with demo(clone, DATABASE_URL="postgresql://nobody@db.invalid/production") as printed:
        assert f"Database:   {clone / 'demo.sqlite3'}" in printed


@pytest.mark.parametrize("port", ["0", "65536", "0000080000", "-1", "http", "9" * 5000])
def test_it_refuses_what_is_no_port(clone, port):
    process = subprocess.run(
        [sys.executable, "manage.py", "demo", f"--port={port}"],
        cwd=clone,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert "is not a port from 1 to 65535" in process.stderr


def test_a_centre_is_filled_up_to_its_number_of_users(own_clone):
    for asked, users in ((50, 50), (60, 60), (10, 60)):
        with demo(own_clone, f"--users={asked}") as printed:
            assert paste(printed)["status_code"] == 4309
        assert sql(own_clone, "SELECT count(*) FROM users_user") == [(users,)]


@pytest.mark.parametrize("number", ["0", "-1", "200001", "many", "9" * 5000])
def test_it_refuses_what_is_no_number_of_users(clone, number):
    process = subprocess.run(
        [sys.executable, "manage.py", "demo", f"--users={number}"],
        cwd=clone,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert "is not a number of users from 1 to 200,000" in process.stderr
