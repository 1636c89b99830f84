"""Statements that many saves have in common, made once at the end of a block.

with batch(using):
    for user in users:
        user.save()  # which calls `gather`
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from django.db import connections

#: What is done for many items by few statements, in the database of the second argument.
Work: TypeAlias = Callable[[list[Any], str], None]


@contextmanager
def batch(using: str) -> Iterator[None]:
    """Do at the end of the block, if it does not fail, what is gathered in it."""
    connection = vars(connections[using])
    if "users_batch" in connection:  # the outer block does it
        yield
        return
    gathered = connection["users_batch"] = dict[Work, list[Any]]()
    try:
        yield
        for work in list(gathered):
            finish(work, using)
    finally:
        del connection["users_batch"]


def is_open(using: str) -> bool:
    """Return True inside a batch."""
    return "users_batch" in vars(connections[using])


def gather(using: str, work: Work, item: Any) -> None:
    """Do `work` for `item`: at the end of the batch, or now if there is none."""
    gathered = vars(connections[using]).get("users_batch")
    if gathered is None:
        work([item], using)
    else:
        gathered.setdefault(work, []).append(item)


def finish(work: Work, using: str) -> None:
    """Do `work` for what the batch, if there is one, has gathered so far."""
    gathered = vars(connections[using]).get("users_batch", {})
    if items := gathered.pop(work, None):
        work(items, using)
