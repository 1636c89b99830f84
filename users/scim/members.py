"""The members of a Group: who comes and who goes by a request, and how that is stored.

A request names few of them where the Group has thousands: only those who are named are read, unless
the request is about all.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from scim2_models import InvalidPathException, InvalidValueException
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
)

from users.db.keys import NO_ROW, in_parts, number_id
from users.models import Membership, locking
from users.scim import errors
from users.scim.filters import key_of


class MemberChanges:
    """Who is to be a member, and who not.

    named: for each user id, whether that user is to be a member.
    are_all: True if nobody else is to be one.
    """

    def __init__(self) -> None:
        self.named: dict[int, bool] = {}
        self.are_all = False

    def __bool__(self) -> bool:
        return self.are_all or bool(self.named)

    def add(self, ids: Iterable[int]) -> None:
        self.named |= dict.fromkeys(ids, True)

    def remove(self, ids: Iterable[int]) -> None:
        self.named |= dict.fromkeys(ids, False)

    def replace(self, ids: Iterable[int]) -> None:
        self.named, self.are_all = dict.fromkeys(ids, True), True


def ids_in(value: Any) -> list[int]:
    """Return the user ids in the value of `members`; `NO_ROW` for what is none.

    Raises `SCIMException`.
    """
    ids = []
    for member in value if isinstance(value, list) else [value]:
        if not isinstance(member, dict):
            raise errors.invalid_value(["members: Must be objects with a value"])
        # What is null is not there: Entra ID sends `"$ref": null`.
        given = {name.lower(): part for name, part in member.items() if part is not None}
        kind = given.get("type", "User")
        if not isinstance(kind, str) or kind.lower() != "user":
            raise errors.invalid_value(["members.type: Must be User"])
        text = given.get("value")
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise errors.invalid_value(["members.value: Must be the id of a User"])
        ids.append(key_of(text) if isinstance(text, str) else number_id(text))
    return ids


def ids_selected(node: FilterNode) -> set[int] | None:
    """Return the user ids that a filter in brackets selects; None: all. Raises `SCIMException`."""
    if isinstance(node, LogicalExpr):
        parts = [ids_selected(term) for term in node.terms]
        sets = [part for part in parts if part is not None]
        if node.op == LogicalOperator.and_:
            return set.intersection(*sets) if sets else None
        return None if len(sets) < len(parts) else set.union(*sets)
    if isinstance(node, Comparison) and node.op == CompareOperator.eq:
        name = str(node.attr_path).lower()
        if name == "value" and isinstance(node.value, str):
            return {key_of(node.value)}
        if name == "type" and str(node.value).lower() == "user":
            return None
    raise InvalidPathException(detail="Members are selected by their value, with eq")


def store(
    wanted: MemberChanges,
    team_id: int,
    scim_team_id: int,
    team_ids: Collection[int],
    using: str,
) -> None:
    """Change the members of a team, which is locked.

    team_ids: the ids of the token's teams. Whoever is in none of them any more joins the SCIM team.

    Raises `SCIMException` if somebody who is to be a member is not visible.
    """
    named = [pk for pk in wanted.named if pk != NO_ROW]
    present = _members(team_id, None if wanted.are_all else named, using)
    joining = {pk for pk, is_member in wanted.named.items() if is_member} - present
    leaving = {pk for pk in present if not wanted.named.get(pk, not wanted.are_all)}
    _require_visible(joining, team_ids, using)
    if not joining and not leaving:
        return
    # Of two changes of one user's teams, one waits here, and then sees what the other has done.
    locking.lock_ids({*joining, *leaving}, using)
    _require_visible(joining, team_ids, using)
    others = [pk for pk in team_ids if pk != team_id]
    hidden = leaving - in_teams(leaving, others, using)
    _join(hidden, scim_team_id, using)
    _join(joining - _members(team_id, joining, using), team_id, using)
    for part in in_parts(sorted(leaving)):
        Membership.objects.using(using).filter(team=team_id, user__in=part).delete()


def keep_visible(team_id: int, scim_team_id: int, team_ids: Collection[int], using: str) -> None:
    """Have the members of a locked team that is to be deleted stay in a team of the token."""
    leaving = _members(team_id, None, using)
    locking.lock_ids(leaving, using)
    others = [pk for pk in team_ids if pk != team_id]
    _join(leaving - in_teams(leaving, others, using), scim_team_id, using)


def in_teams(user_ids: Iterable[int], team_ids: Collection[int], using: str) -> set[int]:
    """Return those of the users who are in one of the teams."""
    memberships = Membership.objects.using(using).filter(team__in=team_ids)
    found: set[int] = set()
    for part in in_parts(user_ids):
        found.update(memberships.filter(user__in=part).values_list("user", flat=True))
    return found


def _members(team_id: int, among: Iterable[int] | None, using: str) -> set[int]:
    """Return the ids of the team's members, or those of them who are among others."""
    if among is not None:
        return in_teams(among, [team_id], using)
    members = Membership.objects.using(using).filter(team=team_id)
    return set(members.values_list("user", flat=True))


def _require_visible(user_ids: set[int], team_ids: Collection[int], using: str) -> None:
    if user_ids - in_teams(user_ids, team_ids, using):
        raise InvalidValueException(detail="members.value: There is no such User")


def _join(user_ids: Collection[int], team_id: int, using: str) -> None:
    if user_ids:
        Membership.objects.using(using).bulk_create(
            Membership(user_id=pk, team_id=team_id, role=Membership.Role.AGENT)
            for pk in sorted(user_ids)
        )


def represent(user_id: int, root: str) -> dict[str, str]:
    return {"value": str(user_id), "$ref": f"{root}/Users/{user_id}", "type": "User"}


def of_teams(
    team_ids: Collection[int], root: str, using: str
) -> Mapping[int, list[dict[str, str]]]:
    """Return the members of teams as JSON, by team id."""
    memberships = Membership.objects.using(using).filter(team__in=team_ids)
    found: dict[int, list[dict[str, str]]] = {}
    for team, user in memberships.order_by("user").values_list("team", "user"):
        found.setdefault(team, []).append(represent(user, root))
    return found
