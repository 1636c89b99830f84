"""Processes and those that they started."""

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path


def with_children(pids: Iterable[int]) -> list[int]:
    """Return those of `pids` that run, and all processes below them."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    found = list(pids)
    for pid in found:  # which grows
        found += [child for child, parent in parents.items() if parent == pid]
    return [pid for pid in dict.fromkeys(found) if pid in parents]


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to processes; those that have ended are left out."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
