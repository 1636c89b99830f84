"""How the process that is told to stop (`config.serve`) lets its workers know.

A file, whose name they inherit, says so: they are processes of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory

_FILE = "DESK_SHUTDOWN_FILE"


@contextmanager
def can_be_announced() -> Iterator[None]:
    """Let the workers that start in the block know of a later `announce`."""
    with TemporaryDirectory(prefix="desk-users-") as folder:
        environ[_FILE] = f"{folder}/shutting-down"
        yield


def announce() -> None:
    """Say that the shutdown has begun."""
    Path(environ[_FILE]).touch()


def has_begun() -> bool:
    return _FILE in environ and Path(environ[_FILE]).exists()
