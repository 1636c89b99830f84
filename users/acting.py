"""Who changes users, and by which door: what the history says of each change.

A door names both for as long as it acts:

    with acting("admin", by=request.user):
        ...

It is a context variable: neither threads nor coroutines see each other's.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    door: one of `Change.Door`.
    by: an `AccessToken` or a user; None where nobody is known.
    trxid: what the changes of one action share; None for code that is no door.
    """

    door: str = "code"
    by: Any = None
    trxid: str | None = None


_NOBODY = Actor()
_actor: ContextVar[Actor] = ContextVar("users_actor", default=_NOBODY)


def current() -> Actor:
    """Return who acts now; where no door has said so, it is code of nobody's."""
    return _actor.get()


@contextmanager
def acting(door: str, by: Any = None, trxid: str | None = None) -> Iterator[None]:
    """Name the door and who acts, for the changes that are made inside.

    trxid: of the request or the run of the command; None: a new one.
    """
    before = _actor.set(Actor(door, by, trxid or new_trxid()))
    try:
        yield
    finally:
        _actor.reset(before)


def identify(by: Any, door: str | None = None) -> None:
    """Name who acts, and another door, once the one that acts knows it."""
    actor = _actor.get()
    _actor.set(replace(actor, by=by, door=door or actor.door))


def new_trxid() -> str:
    """Return a new unique identifier: 36 characters (RFC 9562, version 4)."""
    return str(uuid.uuid4())
