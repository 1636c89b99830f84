"""Pages of a team's users: what list and search share.

A page takes two statements: the ids of its users from the memberships, then the users. So only the
users of the page are read whole, and only theirs are the sessions looked up.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import DateTimeField, Q, QuerySet, Subquery
from django.utils import timezone

from users import search
from users.api import paging
from users.db.compiled import CompiledQuery, Parameter
from users.db.functions import CountRows
from users.models import AbstractUser, Membership, Team
from users.search import Condition

PARAMETERS = ("page", "page_size", "after", "sort", "total", "login_id", "email_id")

#: The values of `sort`, each with the lookup of what the list is sorted by, and then by id. Indexes
#: serve the first three. `updated_at` has none, since each update would have to maintain it: all
#: matching users of the team are read and sorted (0.4 to 0.8 seconds for 100,000 of a million).
SORTS: Mapping[str, str] = {
    "id": "user_id",
    "login_id": "user__login_key",
    "created_at": "user__created_at",
    "updated_at": "user__updated_at",
}

#: How many users deep `page` reaches. `after` goes on at any depth, without reading all before it.
MAX_DEPTH = 10_000


@dataclass(frozen=True)
class Query:
    """The query parameters of a list.

    conditions: those of `login_id` and `email_id`.
    place: the value that the list is sorted by, and the id, of the user that the page comes after.
    """

    sort: str
    size: int
    offset: int
    place: tuple[Any, ...] | None
    total: bool
    conditions: Sequence[Condition]
    cursors: paging.Cursors


@dataclass(frozen=True)
class Page:
    users: list[AbstractUser]
    has_more: bool
    after: str | None
    total: int | None


def read_query(
    values: Mapping[str, str], errors: dict[str, list[str]], team: int, searched: Mapping[str, Any]
) -> Query:
    """Return what the query parameters ask for; add errors to `errors`.

    values: the parameters as `users.api.query.read` has them.
    searched: the body of a search. A cursor of another search, sort or team is not valid.
    """
    size = paging.read_size(values, errors)
    sort = values.get("sort", "id")
    if sort.removeprefix("-") not in SORTS:
        allowed = ", ".join(SORTS)
        errors.setdefault("sort", [f"Must be one of: {allowed}; or one with '-' before it."])
    if (total := values.get("total", "false")) not in ("true", "false"):
        errors.setdefault("total", ["Must be true or false."])
    conditions = []
    for name in ("login_id", "email_id"):
        if name in values:
            if error := search.PARAMETERS[name].type.error(values[name]):
                errors.setdefault(name, [error])
            conditions.append(Condition(name, "eq", values[name]))
    named = [(condition.parameter, condition.operand) for condition in conditions]
    cursors = paging.Cursors("users", team, sort, _digest([named, searched]))
    place = None
    if "after" in values and "page" in values:
        errors.setdefault("after", ["Must not be beside 'page': one of the two."])
    elif "after" in values:
        try:
            place = cursors.decode(values["after"])
        except paging.InvalidCursorError as error:
            errors.setdefault("after", [str(error)])
    offset = (_page_number(values, size, errors) - 1) * size
    return Query(sort, size, offset, place, total == "true", conditions, cursors)


def page(team: int, conditions: Sequence[Condition], query: Query, using: str) -> Page:
    """Return the page of the team's users that meet all conditions."""
    if _is_plain(query) and not conditions:
        return _plain_page(team, query, using)
    members = Membership.objects.using(using).filter(
        search.matching([*conditions, *query.conditions], "user__", "role"), team=team
    )
    path, descends = SORTS[query.sort.removeprefix("-")], query.sort.startswith("-")
    columns = list(dict.fromkeys((path, "user_id")))
    rows: Any = _after(members, columns, descends, query.place).order_by(
        *(f"-{column}" if descends else column for column in columns)
    )
    count = Subquery(members.order_by().values(count=CountRows()))
    if query.total:
        rows = rows.annotate(total=count)
        columns.append("total")
    found = list(rows.values_list(*columns)[query.offset : query.offset + query.size + 1])
    total = None
    if query.total:
        total = found[0][-1] if found else members.count()
        found = [row[:-1] for row in found]
    return _page(found, total, query, using)


def _page(found: Sequence[tuple[Any, ...]], total: int | None, query: Query, using: str) -> Page:
    """Return the page of the users whose places were found: at most one more than it shows."""
    shown, has_more = found[: query.size], len(found) > query.size
    return Page(
        users=_users([row[-1] for row in shown], using),
        has_more=has_more,
        after=query.cursors.encode(*map(_encoded, shown[-1])) if has_more else None,
        total=total,
    )


def _is_plain(query: Query) -> bool:
    """Return True if the page is by id, from the beginning or a cursor, of the whole team."""
    is_by_id = query.sort.removeprefix("-") == "id"
    return is_by_id and not (query.offset or query.total or query.conditions)


def _plain_page(team: int, query: Query, using: str) -> Page:
    """Return a plain page of the team's users: by a compiled statement."""
    place = {} if query.place is None else {"place": query.place[0]}
    members = _plain_members(query.sort, query.size, bool(place)).run(using, team=team, **place)
    return _page([(member.user_id,) for member in members], None, query, using)


@cache
def _plain_members(sort: str, size: int, has_place: bool) -> CompiledQuery[Membership]:
    return CompiledQuery(partial(_build_plain_members, sort, size, has_place))


def _build_plain_members(sort: str, size: int, has_place: bool) -> "QuerySet[Membership]":
    descends = sort.startswith("-")
    user = Membership._meta.get_field("user")
    place = (Parameter("place", user.target_field),) if has_place else None
    members = Membership.objects.filter(team=Parameter("team", Team._meta.pk))
    ordered = _after(members, ["user_id"], descends, place).order_by(
        "-user_id" if descends else "user_id"
    )
    return ordered.only("user")[: size + 1]


def _page_number(values: Mapping[str, str], size: int, errors: dict[str, list[str]]) -> int:
    text, last = values.get("page", "1"), MAX_DEPTH // size
    is_number = text.isascii() and text.isdigit() and len(text) < 100
    if is_number and 1 <= int(text) <= last:
        return int(text)
    error = f"Must be an integer from 1 to {last}: pages reach {MAX_DEPTH:,} users deep."
    errors.setdefault("page", [f"{error} To read more, use 'after'."])
    return 1


def _digest(searched: Any) -> str:
    text = json.dumps(searched, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _encoded(value: Any) -> int | str:
    return value.isoformat() if isinstance(value, datetime) else value


def _after(
    members: "QuerySet[Membership]",
    columns: Sequence[str],
    descends: bool,
    place: tuple[Any, ...] | None,
) -> "QuerySet[Membership]":
    """Return the members that come after a place in the order of one or two columns."""
    if place is None:
        return members
    beyond = "lt" if descends else "gt"
    first = {f"{columns[0]}__{beyond}": place[0]}
    if len(columns) == 1:
        return members.filter(**first)
    # The plain bound lets the index be entered there, which the OR alone does not.
    second = {f"{columns[1]}__{beyond}": place[1]}
    return members.filter(Q(**first) | Q(**second), **{f"{columns[0]}__{beyond}e": place[0]})


@cache
def _users_of(count: int) -> CompiledQuery[AbstractUser]:
    """Return the query for a number of users by their ids."""
    return CompiledQuery(partial(_by_ids, count))


def _by_ids(count: int) -> "QuerySet[AbstractUser]":
    User = get_user_model()  # noqa: N806
    ids = [Parameter(f"id{number}", User._meta.pk) for number in range(count)]
    now = Parameter("now", DateTimeField())
    return User.objects.with_logged_in(now).filter(pk__in=ids).order_by()


def _users(ids: Sequence[int], using: str) -> list[AbstractUser]:
    """Return the users in the order of their ids; who was deleted meanwhile is left out."""
    if not ids:
        return []
    parameters = {f"id{number}": user_id for number, user_id in enumerate(ids)}
    found = {u.pk: u for u in _users_of(len(ids)).run(using, now=timezone.now(), **parameters)}
    return [found[user_id] for user_id in ids if user_id in found]
