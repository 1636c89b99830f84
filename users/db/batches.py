"""Statements that many saves have in common, made once at the end of a block.

with batch(using):
    for user in users:
        user.save()  # which calls `gather`
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db import connections

#: What is done for many items by few statements, in the database of the second argument.
Work: TypeAlias = Callable[[list[Any], str], None]


@dataclass
class _Batch:
    holds_updates: bool
    gathered: dict[Work, list[Any]] = field(default_factory=dict)


@contextmanager
def batch(using: str, *, holds_updates: bool = False) -> Iterator[None]:
    """Do at the end of the block, if it does not fail, what is gathered in it.

    holds_updates: if True, the rows of users may be updated at the end as well: the block asks the
        database for none of them, and saves each once. Of nested blocks, the outermost decides.
    """
    connection = vars(connections[using])
    if "users_batch" in connection:  # the outer block does it
        yield
        return
    opened = connection["users_batch"] = _Batch(holds_updates)
    try:
        yield
        for work in list(opened.gathered):
            finish(work, using)
    finally:
        del connection["users_batch"]


def _open(using: str) -> _Batch | None:
    return vars(connections[using]).get("users_batch")


def is_open(using: str) -> bool:
    """Return True inside a batch."""
    return _open(using) is not None


def holds_updates(using: str) -> bool:
    """Return True inside a batch at whose end the rows of users may be updated."""
    opened = _open(using)
    return opened is not None and opened.holds_updates


def gather(using: str, work: Work, item: Any) -> None:
    """Do `work` for `item`: at the end of the batch, or now if there is none."""
    opened = _open(using)
    if opened is None:
        work([item], using)
    else:
        opened.gathered.setdefault(work, []).append(item)


def finish(work: Work, using: str) -> None:
    """Do `work` for what the batch, if there is one, has gathered so far."""
    opened = _open(using)
    if opened and (items := opened.gathered.pop(work, None)):
        work(items, using)
