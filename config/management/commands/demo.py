"""Prepares and serves a demonstration on SQLite (`--help`)."""

import argparse
import os
import re
import secrets
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.staticfiles.management.commands import runserver
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.db import connection, transaction
from django.utils import timezone

from config import demo_centre, demo_environment
from users.management.progress import Progress
from users.models import AccessToken, AttributeDefinition, Membership, Team
from users.tokens import digest

User: Any = get_user_model()
Kind, Type = AttributeDefinition.Kind, AttributeDefinition.Type

TEAM = "Support"
ADMINISTRATOR = "admin"
OPERATOR = "olga"
TOKEN_LIFETIME = timedelta(days=7)
DEFINITIONS: tuple[Any, ...] = (
    (Kind.CUSTOM, "business", Type.CHOICE, ["Retail", "Banking", "Travel"], "The business unit"),
    (Kind.CUSTOM, "location", Type.CHOICE, ["Berlin", "Mumbai", "Toronto"], "Where the user works"),
    (Kind.SKILL, "languages", Type.MULTIPLE_CHOICE, ["en", "de", "hi", "fr"], "Languages spoken"),
    (Kind.SKILL, "seniority", Type.NUMBER, [], "Years on the job"),
)
#: For the first definitions, by name: what pages call them, and what they call their choices.
LABELS: dict[str, dict[str, dict[str, str]]] = {
    "business": {
        "de": {"": "Sparte", "Retail": "Handel", "Banking": "Bankwesen", "Travel": "Reisen"},
        "es": {"": "Sector", "Retail": "Comercio", "Banking": "Banca", "Travel": "Viajes"},
        "fr": {"": "Secteur", "Retail": "Commerce", "Banking": "Banque", "Travel": "Voyages"},
        "hi": {"": "व्यवसाय", "Retail": "खुदरा", "Banking": "बैंकिंग", "Travel": "यात्रा"},
    },
    "location": {
        "de": {"": "Standort"},
        "es": {"": "Ubicación", "Berlin": "Berlín", "Mumbai": "Bombay"},
        "fr": {"": "Site", "Mumbai": "Bombay"},
        "hi": {"": "स्थान", "Berlin": "बर्लिन", "Mumbai": "मुंबई", "Toronto": "टोरंटो"},
    },
}
USERS: tuple[Any, ...] = (
    (
        "asha",
        "Asha",
        "Rao",
        {"business": "Retail", "location": "Mumbai"},
        {"languages": ["en", "hi"], "seniority": 4},
    ),
    ("bruno", "Bruno", "Keller", {"business": "Banking", "location": "Berlin"}, {"seniority": 7}),
    ("chloe", "Chloé", "Martin", {"business": "Travel", "location": "Toronto"}, {}),
)


def port(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"'{text}' is not a port from 1 to 65535")
    return int(text)


def number_of_users(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= demo_centre.MAX_USERS):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number of users from 1 to {demo_centre.MAX_USERS:,}"
        )
    return int(text)


class RequestHandler(WSGIRequestHandler):
    """Passes on a missing Content-Type, which wsgiref replaces with text/plain."""

    def get_environ(self) -> dict[str, Any]:
        environ = super().get_environ()
        if "Content-Type" not in self.headers:
            environ["CONTENT_TYPE"] = ""
        return environ


class Server(WSGIServer):
    def __init__(self, address: Any, handler: Any, **options: Any) -> None:
        super().__init__(address, RequestHandler, **options)


class RunServer(runserver.Command):
    server_cls = Server


class Command(BaseCommand):
    help = "Creates a SQLite database with a few users, prints a call to the API, and serves both."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=port, default=8000, help="on 127.0.0.1 (default: 8000)")
        parser.add_argument(
            "--users",
            type=number_of_users,
            metavar="N",
            help="make a lively contact centre, until there are N users",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("The demo only runs on SQLite, to never change a real database.")
        self.require_free(options["port"])
        call_command("migrate", verbosity=0)
        with transaction.atomic():
            # Only once, so that changes made since then are kept.
            password = None if User.objects.exists() else self.make_all()
            self.make_centre(options["users"] or 0)
            call = self.call(f"http://127.0.0.1:{options['port']}")
        settings.PUBLIC_URL = f"http://127.0.0.1:{options['port']}"
        self.show(settings.PUBLIC_URL, call, password)
        call_command(
            RunServer(),
            f"127.0.0.1:{options['port']}",
            use_reloader=False,
            insecure_serving=True,  # serves static files with DEBUG off
        )

    def require_free(self, port: int) -> None:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            message = f"Port {port} of 127.0.0.1 cannot be used: {os.strerror(error.errno or 0)}."
            raise CommandError(f"{message} Name another with --port.") from error

    def make_all(self) -> str:
        """Create the team, definitions and users, and return the administrator's password."""
        team = Team.objects.filter(name__iexact=TEAM).first() or Team.objects.create(name=TEAM)
        for kind, name, type_, choices, description in DEFINITIONS:
            values = {"type": type_, "choices": choices, "description": description}
            values["labels"] = LABELS.get(name, {})
            AttributeDefinition.objects.get_or_create(kind=kind, name=name, defaults=values)
        for login_id, first_name, last_name, custom, skills in USERS:
            user = User.objects.create_user(
                login_id,
                f"{login_id}@desk.example",
                first_name=first_name,
                last_name=last_name,
                custom_attributes=custom,
                skill_attributes=skills,
            )
            Membership.objects.create(user=user, team=team)
        password = secrets.token_urlsafe(12)
        user = User.objects.create_superuser(
            ADMINISTRATOR, "admin@desk.example", password, first_name="Ada", last_name="Admin"
        )
        Membership.objects.create(user=user, team=team, role=Membership.Role.MANAGER)
        self.make_operator(password)
        return password

    def make_operator(self, password: str) -> None:
        """Create an administrator who may do what operators may, and no more."""
        call_command("create_groups", verbosity=0)
        operator = User.objects.create_user(
            OPERATOR,
            "olga@desk.example",
            password,
            first_name="Olga",
            last_name="Operator",
            role_type=User.RoleType.ADMINISTRATIVE,
        )
        operator.groups.add(Group.objects.get(name="Operators"))

    def make_centre(self, number: int) -> None:
        """Add users, with all that belongs to them, until there are `number`."""
        missing = number - User.objects.count()
        if missing <= 0:
            return
        operators = list(User.objects.filter(role_type=User.RoleType.ADMINISTRATIVE)[:10])
        progress = Progress(self.stderr, missing, "users")
        demo_centre.make(missing, operators, progress.add)
        progress.finish()

    def call(self, address: str) -> str:
        """Return a `curl` command to paste, or an empty string if no user is in a team."""
        members = Membership.objects.order_by("user__is_superuser", "pk")
        member = members.select_related("user", "team").first()
        if member is None:
            return ""
        token, secret = self.token(member.team)
        until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "forever"
        return f"""
Update {member.user.first_name} {member.user.last_name} (the token is valid {until}):

curl -i -X PATCH {address}/api/users/{member.user.pk} \\
  -H 'Authorization: Bearer {secret}' \\
  -H 'teamid: {member.team.pk}' \\
  -H 'Content-Type: application/json' \\
  -d '{{"job_description": "Team lead", "custom_attributes": {{"business": "Banking"}}}}'
"""

    def token(self, team: Team) -> tuple[AccessToken, str]:
        """Return the token of an earlier run and its secret, or new ones."""
        file = Path(f"{connection.settings_dict['NAME']}-token")
        secret = demo_environment.kept(file)
        token = AccessToken.objects.filter(digest=digest(secret), teams=team).first()
        if token is None or token.is_revoked or token.is_expired:
            expires_at = timezone.now() + TOKEN_LIFETIME
            token, secret = AccessToken.objects.issue("demo", [team], expires_at)
            demo_environment.keep(file, secret)
        return token, secret

    def show(self, address: str, call: str, password: str | None) -> None:
        administrator = User.objects.filter(is_superuser=True).order_by("pk").first()
        names = " or ".join(map(str, [administrator, *User.objects.filter(login_id=OPERATOR)]))
        login = f"{names}, with the password that the first run showed"
        if administrator is None:
            login = "an administrator (the demo's superuser was deleted)"
        elif password:
            login = f"{administrator}, password {password} (shown this once)"
            login += f"\n            {OPERATOR}, of the group Operators: the same password"
        has_page = apps.is_installed("drf_spectacular")
        api_page = f"{address}/api/schema/page/" if has_page else "(needs the extra “openapi”)"
        self.stdout.write(f"""{call}
Admin site: {address}/admin/
API page:   {api_page}
Log in as:  {login}
Database:   {connection.settings_dict["NAME"]}
Mails:      are printed here
""")
        self.stdout.flush()
