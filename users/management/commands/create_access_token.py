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
            default=[],
            dest="teams",
            metavar="ID",
            help="the id of a team that the token may act for; repeat it for more teams",
        )
        parser.add_argument(
            "--scim-team",
            metavar="ID",
            help="for an identity provider (SCIM): the id of the team that the users join whom it "
            "makes; the token may act for it, too",
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
        if not options["teams"] and options["scim_team"] is None:
            raise CommandError("One of the arguments --team, --scim-team is required.")
        teams = [arguments.existing_team(text) for text in options["teams"]]
        scim_team = None
        if options["scim_team"] is not None:
            scim_team = arguments.existing_team(options["scim_team"])
        expires_at = timezone.now() + timedelta(days=lifetime) if lifetime else None
        token, secret = AccessToken.objects.issue(
            name,
            teams,
            expires_at,
            read_only=options["read_only"],
            rate_limit=options["rate_limit"],
            scim_team=scim_team,
        )
        self.stdout.write(secret)
        self.stderr.write(f"Created the access token “{token}”.", style_func=self.style.SUCCESS)
