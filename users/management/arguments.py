"""What the commands' arguments stand for."""

import argparse
import re

from django.core.management.base import CommandError

from users.db.keys import row_id
from users.models import AccessToken, Team

MAX_TEAMS = 20  # named in an error message


def days(text: str) -> int:
    return _number(text, AccessToken.MAX_DAYS, "days")


def rate_limit(text: str) -> int:
    return _number(text, AccessToken.MAX_RATE_LIMIT, "calls")


def _number(text: str, maximum: int, counted: str) -> int:
    if not (re.fullmatch("[0-9]{1,10}", text) and 1 <= int(text) <= maximum):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number of {counted} from 1 to {maximum}"
        )
    return int(text)


def existing_team(text: str) -> Team:
    """Return the team whose id is `text`. Raises `CommandError`, which says which there are."""
    if team := Team.objects.filter(pk=row_id(text)).first():
        return team
    teams = [f"{team.pk} ({team})" for team in Team.objects.order_by("pk")[: MAX_TEAMS + 1]]
    more = " and more" if len(teams) > MAX_TEAMS else ""
    hint = (
        f"The teams are {', '.join(teams[:MAX_TEAMS])}{more}."
        if teams
        else "There are no teams yet: create one in the admin site first."
    )
    raise CommandError(f"There is no team {text}. {hint}")
