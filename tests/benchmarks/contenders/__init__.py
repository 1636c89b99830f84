"""What is measured: each served on the same database, with two workers."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.benchmarks.databases import Seeded, environment
from tests.benchmarks.load import KINDS
from tests.server import DEPLOYED, PROJECT, free_port, wait_until_it_listens

FLOOR = "floor"

#: How each is served: the command, to which the port is added.
SERVED = {
    "ours": f"granian {DEPLOYED} config.wsgi:application --port",
    "idiomatic DRF": (
        f"granian {DEPLOYED} tests.benchmarks.contenders.idiomatic_drf.wsgi:application --port"
    ),
    "FastAPI + SQLAlchemy": (
        "uvicorn --workers 2 tests.benchmarks.contenders.fastapi_sqlalchemy:app --port"
    ),
}

#: Which calls each answers.
ANSWERED = {
    "ours": tuple(KINDS),
    "idiomatic DRF": tuple(KINDS),
    "FastAPI + SQLAlchemy": ("update", "get", "list", "search"),
    FLOOR: ("update",),
}


class Usage(NamedTuple):
    """What a server has used: seconds of processor, and the largest worker's resident bytes."""

    cpu: float
    memory: int


class Server:
    def __init__(self, process: psutil.Process, port: int) -> None:
        self.process = process
        self.port = port

    def usage(self) -> Usage:
        workers = self.process.children(recursive=True)
        times = [each.cpu_times() for each in (self.process, *workers)]
        return Usage(
            sum(each.user + each.system for each in times),
            max(each.memory_info().rss for each in workers),
        )


@contextlib.contextmanager
def served(name: str, seeded: Seeded, log: Path) -> Iterator[Server]:
    """Serve the contender `name` on the database `seeded`; what it prints goes to `log`."""
    port = free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *SERVED[name].split(), str(port)],
            cwd=PROJECT,
            env=environment(seeded.url),
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_it_listens(port, process)
        time.sleep(2)  # both workers, not the first alone
        yield Server(psutil.Process(process.pid), port)
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
