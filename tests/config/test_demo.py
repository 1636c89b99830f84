"""`manage.py demo`, in a copy of the project that has nothing else: as a new user meets it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server import PROJECT, free_port, wait_until_it_listens

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    clone = tmp_path_factory.mktemp("clone")
    shutil.copy(PROJECT / "manage.py", clone)
    for folder in ("config", "users"):
        shutil.copytree(PROJECT / folder, clone / folder)
    return clone


@contextmanager
def demo(clone, **environment):
    """Start the demo; gives what it printed. Stops it as Control-C does."""
    port = free_port()
    output = clone / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=clone,
            env={"PATH": os.environ["PATH"], **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    wait_until_it_listens(port, process)
    yield output.read_text()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


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
        password = re.search(r"password (\S+) \(shown this once\)", printed).group(1)
    assert first["status_code"] == 4309
    assert first["response"]["custom_attributes"]["business"] == "Banking"
    assert second == first  # `updated_at` too: it changed nothing
    with demo(clone) as printed:
        assert password not in printed
        assert "with the password that the first run showed" in printed
        assert paste(printed) == first


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
    assert "is no port from 1 to 65535" in process.stderr
