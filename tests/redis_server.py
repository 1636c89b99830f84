"""A Redis server of the tests' own, which they may stop."""

import shutil
import signal
import subprocess

from tests.requirements import absent
from tests.server import free_port, wait_until_it_listens


class RedisServer:
    """A context manager that runs a Redis server without data, and stops it."""

    def __init__(self, folder) -> None:
        if shutil.which("redis-server") is None:
            absent("redis-server is not installed")
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/5"
        self.caches = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": self.url,
                "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
            }
        }

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        command = f"redis-server --port {self.port} --bind 127.0.0.1 --appendonly no --dir"
        self.process = subprocess.Popen(
            [*command.split(), str(self.folder), "--save", ""],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_it_listens(self.port, self.process)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def freeze(self) -> None:
        """Have it answer nothing, with its connections open."""
        self.process.send_signal(signal.SIGSTOP)
