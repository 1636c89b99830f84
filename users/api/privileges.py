"""The parameter `privileges` of a creation: the teams of a new user, with the role in each."""

from collections.abc import Callable, Collection
from typing import Any

from users.attributes.types import Choice
from users.attributes.values import json_type
from users.models import Membership

MAX_PRIVILEGES = 1000

_MEMBERS = {"teamid", "role"}
_ROLE = Choice(Membership.Role.values)


def read_privileges(
    value: object, team_id: int, granted: Callable[[], Collection[int]]
) -> tuple[dict[int, str], list[str]]:
    """Return the roles by team id, and errors.

    team_id: the header's team, which must be among them.
    granted: returns the ids of all teams that the caller may act for; only called where other
        teams than the header's are named.
    """
    if value is None:
        return {}, ["Must not be null."]
    if not isinstance(value, list):
        return {}, [f"Must be a list, not {json_type(value)}."]
    if len(value) > MAX_PRIVILEGES:
        return {}, [f"Must have at most {MAX_PRIVILEGES} items, and has {len(value)}."]
    roles: dict[int, str] = {}
    errors = []
    for number, item in enumerate(value, 1):
        if error := _item_error(item):
            errors.append(f"Item {number}: {error}")
        elif item["teamid"] in roles:
            errors.append(f"Item {number}: An earlier item names this team already.")
        else:
            roles[item["teamid"]] = item["role"]
    if others := roles.keys() - {team_id}:
        refused = others - set(granted())
        errors += [
            f"The team {team} is not granted to the access token." for team in sorted(refused)
        ]
    if not errors and team_id not in roles:
        errors.append(f"The header's team ({team_id}) must be among them.")
    return roles, errors


def _item_error(item: Any) -> str | None:
    if not isinstance(item, dict):
        return f"Must be an object, not {json_type(item)}."
    if item.keys() != _MEMBERS:
        return "Must have the members 'teamid' and 'role', and no others."
    if isinstance(item["teamid"], bool) or not isinstance(item["teamid"], int):
        return f"The 'teamid' must be an integer, not {json_type(item['teamid'])}."
    if error := _ROLE.error(item["role"]):
        return error.replace("Must", "The 'role' must", 1)
    return None
