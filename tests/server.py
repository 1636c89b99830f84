"""The project served by granian, as the README deploys it, on the test database."""

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from django.db import connection

#: The README's options, but for static files.
DEPLOYED = (
    "--interface wsgi --workers 2 --blocking-threads 4 --blocking-threads-idle-timeout 600 "
    "--workers-kill-timeout 20"
)

PROJECT = Path(__file__).parent.parent


def database_url() -> str:
    """Return the URL of the database that the tests run on."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    scheme = {"postgresql": "postgresql", "mysql": "mysql"}[connection.vendor]
    part = {name: quote(str(value), safe="") for name, value in connection.settings_dict.items()}
    password = f":{part['PASSWORD']}" if part["PASSWORD"] else ""
    port = f":{part['PORT']}" if part["PORT"] else ""
    return f"{scheme}://{part['USER']}{password}@{part['HOST']}{port}/{part['NAME']}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_it_listens(port: int, process: subprocess.Popen, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port} after {seconds} s")


class Server:
    """A server process with two workers; a context manager that stops it.

    log: the file that takes what it prints.
    shutdown_delay: for how many seconds it serves on after SIGTERM.
    environment: variables other than those of a plain deployment on the test database.
    """

    def __init__(self, log: Path, *, shutdown_delay: int = 0, **environment: str) -> None:
        self.port = free_port()
        self.options = f"--shutdown-delay {shutdown_delay} {DEPLOYED} --port {self.port}"
        self.log = log
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database_url(),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "127.0.0.1",
            "HTTPS": "off",
            **environment,
        }

    def __enter__(self) -> "Server":
        command = f"-m config.serve {self.options} config.wsgi:application"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command.split()],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a group of its own, which `kill` ends at once
            )
        wait_until_it_listens(self.port, self.process)
        # A worker that is still starting does not take the signal to stop.
        deadline = time.monotonic() + 30
        while self.log.read_text().count("Started worker-") < 2:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()

    def kill(self) -> None:
        """End the server and its workers in the middle of whatever they do (SIGKILL)."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def call(self, path: str, body: object, headers: dict[str, str], method: str = "PATCH"):
        """Make the call on a connection of its own: (HTTP status, decoded JSON body or None).

        body: a dict, sent as JSON, or what `http.client` takes.
        """
        content = json.dumps(body) if isinstance(body, dict) else body
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        ) as connection:
            # A body that is too long is refused while it is being sent.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, content, headers)
            response = connection.getresponse()
            answer = response.read()
            return response.status, json.loads(answer) if answer else None
