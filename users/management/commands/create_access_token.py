import argparse
import re
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from users.db.keys import row_id
from users.models import AccessToken, Team


def days(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= AccessToken.MAX_DAYS):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no number of days from 1 to {AccessToken.MAX_DAYS}"
        )
    return int(text)


class Command(BaseCommand):
    help = (
        "Makes an access token and prints it, alone, on standard output: it is not stored. "
        "Standard error says how the admin site names it."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="the system that will use it")
        parser.add_argument(
            "--team",
            action="append",
            required=True,
            dest="teams",
            metavar="ID",
            help="a team that the token may act for; repeat it for more",
        )
        parser.add_argument("--days", type=days, help="how long it is good for (default: for ever)")

    def handle(self, *args: Any, **options: Any) -> None:
        name, lifetime = options["name"].strip(), options["days"]
        try:
            AccessToken(name=name).clean_fields()
        except ValidationError as error:
            raise CommandError(f"NAME: {' '.join(error.messages)}") from error
        teams = []
        for text in options["teams"]:
            if (team := Team.objects.filter(pk=row_id(text)).first()) is None:
                raise CommandError(f"There is no team {text}.")
            teams.append(team)
        expires_at = timezone.now() + timedelta(days=lifetime) if lifetime else None
        token, secret = AccessToken.objects.issue(name, teams, expires_at)
        self.stdout.write(secret)
        self.stderr.write(f"Made the access token “{token}”.", style_func=self.style.SUCCESS)
