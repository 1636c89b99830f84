"""The columns Team and Role: which memberships a row asks for."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from users.models import Membership, Team
from users.names import fold
from users.spreadsheets.columns import LISTS, ROLE
from users.spreadsheets.plans import Plan

_MAX_CELL_LENGTH = 32_767  # of characters, as in Excel


def plan_roles(plan: Plan, teams: Mapping[str, Team], default: Team | None) -> None:
    """Find the memberships that the row adds or changes; others stay as they are.

    teams: those that rows name, by what their names fold to.
    default: the team of a row that names none.
    """
    stored: dict[Any, Any] = {}
    if plan.user is not None and plan.user.pk is not None:
        stored = {each.team_id: each for each in plan.user.memberships.all()}
    names, asked = plan.text("teams"), plan.text("roles")
    if _is_as_exported(stored, names, asked) and (names or default is None):
        return
    found = _teams(plan, names, teams, default)
    roles = _roles(plan, asked, len(found))
    if plan.errors:
        return
    for team, role in zip(found, roles, strict=True):
        old = stored.get(team.pk)
        if old is not None and role in ("", old.role):
            continue
        plan.roles[team] = role or Membership.Role.AGENT.value


def team_names(text: str) -> list[str]:
    """Return the names of teams in a cell; one that is too long to be real is a single name."""
    return [text] if len(text) > _MAX_CELL_LENGTH else LISTS.from_text(text)


def _is_as_exported(stored: Mapping[Any, Any], names: str, asked: str) -> bool:
    teams = LISTS.as_text([each.team.name for each in stored.values()]).strip()
    roles = LISTS.as_text([each.role for each in stored.values()])
    return names in ("", teams) and asked in ("", roles)


def _teams(plan: Plan, names: str, teams: Mapping[str, Team], default: Team | None) -> list[Team]:
    if plan.clears("teams"):
        error = gettext("Cannot be cleared: remove the user from teams in the admin site.")
        plan.add_error("teams", error)
        return []
    if not names:
        return [default] if default else []
    found: list[Team] = []
    for name in team_names(names):
        team = teams.get(fold(name))
        if team is None:
            plan.add_error("teams", gettext("There is no team “%s”.") % name[:150])
        elif team in found:
            plan.add_error("teams", gettext("The team “%s” is there twice.") % team)
        else:
            found.append(team)
    return found


def _roles(plan: Plan, asked: str, number: int) -> list[str]:
    """Return the roles in `number` teams; empty: the one that the user has, or an agent's."""
    if not asked:
        return [""] * number
    if number == 0 and not plan.errors:
        plan.add_error("roles", gettext("Needs a Team."))
    listed = [asked] if len(asked) > _MAX_CELL_LENGTH else LISTS.from_text(asked)
    roles = [ROLE.from_text(text) for text in listed]
    for role in roles:
        if error := ROLE.error(role):
            plan.add_error("roles", error)
    if len(roles) == 1:
        return roles * number
    if len(roles) != number and not plan.errors:
        error = gettext("Must be one role, or one for each of the %d teams, with | between them.")
        plan.add_error("roles", error % number)
    return roles
