"""What a team sees of the history, and the order in which the feed of changes serves it.

"Changes with an id greater than the last one" would lose changes: ids are given out before the
commit, so that a lower id may become visible later. On PostgreSQL the feed is therefore ordered by
(transaction id, id) and ends before the oldest transaction that still runs: every change before
that horizon is committed, and no other can come to be there later.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from django.utils import timezone

from users.db.functions import HasOnlyKey, JSONListContains, OldestTransactionID, Row
from users.models import AccessToken, Change, FeedState

#: How long a transaction may last on MariaDB after it wrote a change. MariaDB does not tell which
#: transactions still run, so the newest changes are held back for this time. `config` ends the
#: statements of requests, and idle transactions, well before it.
MARIADB_HOLD = timedelta(minutes=2)

#: How many changes, of all teams, one page of the feed or of a history reads at most. A page of a
#: team that sees few of them ends here, before it is full, and takes no longer than others.
MAX_SCANNED = 20_000

#: How many characters the values on one page have, about. A change can have two million: a page of
#: such ones ends before it is full, and does not fill the memory of who writes or reads it.
MAX_TEXT = 4_194_304


class Position(NamedTuple):
    """A place in the feed: that of the last change that has been served.

    transaction_id: 0 unless the database is PostgreSQL, where ids alone are the order.
    """

    transaction_id: int
    id: int


START = Position(0, 0)


@dataclass(frozen=True)
class State:
    """How far the feed reaches.

    epoch: one more with each restart of the feed, which makes earlier positions invalid.
    pruned: the position of the last change that was pruned.
    horizon: the position up to which no running transaction can add a change.
    """

    epoch: int
    pruned: Position
    horizon: Position


@dataclass(frozen=True)
class Page:
    changes: list[Change]
    position: Position  # where the next page starts
    has_more: bool


def visible(changes: "QuerySet[Change]", team_id: int, granted: Sequence[int]) -> Any:
    """Return those of `changes` that a caller may see.

    team_id: the team that the caller acts for: it sees the changes of its members.
    granted: the ids of all teams that the caller may act for. A change of memberships in other
        teams, and of nothing else, is left out.

    The changes get `by_name_visible`: True if `by_id` is an access token that shares a team with
    the caller.
    """
    vendor = connections[changes.db].vendor
    bears_team: Any = Q(teams__contains=[team_id])
    if vendor == "sqlite":  # which does not support `contains`
        bears_team = JSONListContains(team_id, "teams")
    grants = AccessToken.teams.through._default_manager.filter(team__in=granted)
    # In groups, because SQLite limits the depth of an expression.
    keys = [str(pk) for pk in granted]
    is_granted = [
        Q(after__memberships__has_any_keys=keys[start : start + 500])
        for start in range(0, len(keys), 500)
    ]
    return changes.annotate(
        by_name_visible=Exists(grants.filter(accesstoken=OuterRef("by_id")))
    ).filter(
        bears_team,
        ~Q(after__has_key="memberships")
        | ~Q(HasOnlyKey("after", "memberships"))
        | Q(*is_granted, _connector=Q.OR),
    )


def state(using: str) -> State:
    """Return how far the feed reaches now."""
    is_postgresql = connections[using].vendor == "postgresql"
    oldest = OldestTransactionID()
    # Aggregates, so that there is a result without a row in the table too.
    found = FeedState._default_manager.using(using).aggregate(
        epoch=Max("epoch", default=1),
        pruned_transaction_id=Max("pruned_transaction_id", default=0),
        pruned_id=Max("pruned_id", default=0),
        oldest=Coalesce(Max(oldest), oldest),
    )
    return State(
        epoch=found["epoch"],
        pruned=Position(found["pruned_transaction_id"], found["pruned_id"]),
        horizon=Position(found["oldest"], 0) if is_postgresql else Position(0, _last_id(using)),
    )


def lag(using: str) -> timedelta:
    """Return the age of the first change that the feed holds back, 0 if it holds back none."""
    horizon = state(using).horizon
    changes = Change._default_manager.using(using)
    if connections[using].vendor == "postgresql":
        held = changes.filter(transaction_id__gte=horizon.transaction_id)
    else:
        held = changes.filter(id__gt=horizon.id)
    first = held.order_by("transaction_id", "id").values_list("at", flat=True).first()
    return timedelta(0) if first is None else max(timezone.now() - first, timedelta(0))


def _last_id(using: str) -> int:
    """Return the id up to which no running transaction can add a change."""
    changes = Change._default_manager.using(using)
    held_since = timezone.now() - MARIADB_HOLD
    last: int = changes.aggregate(last=Max("id"))["last"] or 0
    if connections[using].vendor == "mysql":
        held = changes.filter(at__gt=held_since).aggregate(first=Min("id"))["first"]
        return last if held is None else min(last, held - 1)
    return last  # SQLite has one writer at a time


def has_foreign_transactions(using: str) -> bool:
    """Return True if changes bear transaction ids of another database server.

    So they do after a dump was restored, until `manage.py restart_feed`. It can be told as long as
    this server has not given out as many ids itself.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return False
    latest = Change._default_manager.using(using).aggregate(last=Max("transaction_id"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        [next_id] = cursor.fetchone()
    return (latest["last"] or 0) >= next_id


def page(
    team_id: int, granted: Sequence[int], after: Position, horizon: Position, size: int, using: str
) -> Page:
    """Return the changes that come after a position, oldest first, as `visible` has them."""
    end = _scan_end(after, horizon, using)
    changes = _between(after, end, using)
    found = list(visible(changes, team_id, granted)[: size + 1])
    shown = fitting(found[:size])
    if len(shown) < len(found):
        return Page(shown, _position(shown[-1], using), has_more=True)
    # Never backwards: a replica may be behind the one that was asked before.
    return Page(found, max(after, end), has_more=end < horizon)


def history_page(
    user_id: int, team_id: int, granted: Sequence[int], before: int | None, size: int, using: str
) -> tuple[list[Change], int | None]:
    """Return the changes of a user, newest first, as `visible` has them, and where to go on.

    before: the id before which the page starts; None: at the newest.

    The second value is the id before which the next page starts, None after the last page. As in
    the feed, a page may be shorter than `size`, or empty, before the last.
    """
    changes = of_user(user_id, using)
    if before is not None:
        changes = changes.filter(_in_history(LessThan, "id__lt", user_id, before, using))
    # The last change that this page may read, and the one after it, if there are as many.
    [*end] = changes.values_list("id", flat=True)[MAX_SCANNED - 1 : MAX_SCANNED + 1]
    if end:
        is_read = _in_history(GreaterThanOrEqual, "id__gte", user_id, end[0], using)
        changes = changes.filter(is_read)
    found = list(visible(changes, team_id, granted)[: size + 1])
    shown = fitting(found[:size])
    if len(shown) < len(found):
        return shown, shown[-1].pk
    return found, end[0] if len(end) == 2 else None


def fitting(changes: list[Change]) -> list[Change]:
    """Return as many of `changes`, from the first on, as one page holds (`MAX_TEXT`)."""
    room = MAX_TEXT
    for number, change in enumerate(changes):
        room -= len(json.dumps([change.before, change.after]))
        if room < 0:
            return changes[: max(number, 1)]
    return changes


def of_user(user_id: int, using: str) -> "QuerySet[Change]":
    """Return the changes of a user, newest first, by the index that is made for it.

    PostgreSQL would guess that the user's changes stand evenly among all, and read the newest of
    everybody until it has found enough: all, where the user's are old. In this order, with a range
    instead of an equal value, no other index gives them.
    """
    changes = Change._default_manager.using(using)
    if connections[using].vendor != "postgresql":
        return changes.filter(user_id=user_id).order_by("-id")
    return changes.filter(user_id__range=(user_id, user_id)).order_by("-user_id", "-id")


def _in_history(compare: Any, lookup: str, user_id: int, change_id: int, using: str) -> Any:
    """Return the condition that an id compares so with `change_id`, in the order of `of_user`."""
    if connections[using].vendor != "postgresql":
        return Q((lookup, change_id))
    return compare(Row("user_id", "id"), Row(user_id, change_id))


def _scan_end(after: Position, horizon: Position, using: str) -> Position:
    """Return the position of the change that is `MAX_SCANNED` after another, or the horizon."""
    changes = _between(after, horizon, using)
    [*found] = changes.only("transaction_id")[MAX_SCANNED - 1 : MAX_SCANNED]
    return _position(found[0], using) if found else horizon


def _between(after: Position, until: Position, using: str) -> "QuerySet[Change]":
    changes = Change._default_manager.using(using)
    if connections[using].vendor != "postgresql":
        return changes.filter(id__gt=after.id, id__lte=until.id).order_by("id")
    # The index answers a comparison of rows even if all ids of transactions are equal. PostgreSQL
    # cannot estimate its result, and would start parallel workers without the plain bounds.
    position = Row("transaction_id", "id")
    return changes.filter(
        GreaterThan(position, Row(*after)),
        LessThanOrEqual(position, Row(*until)),
        transaction_id__range=(after.transaction_id, until.transaction_id),
    ).order_by("transaction_id", "id")


def _position(change: Change, using: str) -> Position:
    is_postgresql = connections[using].vendor == "postgresql"
    return Position(change.transaction_id if is_postgresql else 0, change.pk)
