"""Creates an access token (`--help`)."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from users.management import arguments
from users.models import AccessToken


class Command(BaseCommand):
    help = (
        "Creates an access token and prints it on standard output. It is not stored. "
        "The name that the admin site shows goes to standard error."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="the system that will use it")
        parser.add_argument(
            "--team",
            action="append",
            required=True,
            dest="teams",
            metavar="ID",
            help="the id of a team that the token may act for; repeat it for more teams",
        )
        parser.add_argument(
            "--days", type=arguments.days, help="the lifetime in days (default: no limit)"
        )
        parser.add_argument(
            "--read-only", action="store_true", help="let the token read, but change nothing"
        )
        parser.add_argument(
            "--rate-limit",
            type=arguments.rate_limit,
            metavar="N",
            help="how many calls it may make in a day (default: as many as the deployment has it)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, lifetime = options["name"].strip(), options["days"]
        try:
            AccessToken(name=name).clean_fields()
        except ValidationError as error:
            raise CommandError(f"NAME: {' '.join(error.messages)}") from error
        teams = [arguments.existing_team(text) for text in options["teams"]]
        expires_at = timezone.now() + timedelta(days=lifetime) if lifetime else None
        token, secret = AccessToken.objects.issue(
            name,
            teams,
            expires_at,
            read_only=options["read_only"],
            rate_limit=options["rate_limit"],
        )
        self.stdout.write(secret)
        self.stderr.write(f"Created the access token “{token}”.", style_func=self.style.SUCCESS)
