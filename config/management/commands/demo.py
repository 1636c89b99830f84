import argparse
import re
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.staticfiles.management.commands import runserver
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.db import connection, transaction
from django.utils import timezone

from users.models import AccessToken, AttributeDefinition, Membership, Team

User: Any = get_user_model()
Kind, Type = AttributeDefinition.Kind, AttributeDefinition.Type

TEAM = "Support"
ADMINISTRATOR = "admin"
TOKEN_LIFETIME = timedelta(days=7)
DEFINITIONS: tuple[Any, ...] = (
    (Kind.CUSTOM, "business", Type.CHOICE, ["Retail", "Banking", "Travel"], "The business unit"),
    (Kind.CUSTOM, "location", Type.CHOICE, ["Berlin", "Mumbai", "Toronto"], "Where the user works"),
    (Kind.SKILL, "languages", Type.MULTIPLE_CHOICE, ["en", "de", "hi", "fr"], "Languages spoken"),
    (Kind.SKILL, "seniority", Type.NUMBER, [], "Years on the job"),
)
USERS: tuple[Any, ...] = (
    (
        "asha",
        "Asha",
        "Rao",
        {"business": "Retail", "location": "Mumbai"},
        {"languages": ["en", "hi"]},
    ),
    ("bruno", "Bruno", "Keller", {"business": "Banking", "location": "Berlin"}, {"seniority": 7}),
    ("chloe", "Chloé", "Martin", {"business": "Travel", "location": "Toronto"}, {}),
)


def port(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"'{text}' is no port from 1 to 65535")
    return int(text)


class RequestHandler(WSGIRequestHandler):
    """Says what the client said: wsgiref takes a missing media type for text/plain."""

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
    help = "Prepares a SQLite database with a few users, shows how to call the API, and serves it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=port, default=8000, help="of 127.0.0.1 (default: 8000)")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("The demo runs on SQLite alone: it must not touch a real database.")
        call_command("migrate", verbosity=0)
        with transaction.atomic():
            team = Team.objects.filter(name=TEAM).first() or Team.objects.create(name=TEAM)
            self.make_definitions()
            user = self.make_users(team)
            password = self.make_administrator(team)
            _, secret = AccessToken.objects.issue("demo", [team], timezone.now() + TOKEN_LIFETIME)
        self.show(options["port"], team, user, password, secret)
        call_command(
            RunServer(),
            f"127.0.0.1:{options['port']}",
            use_reloader=False,
            insecure_serving=True,  # the admin site's static files, which DEBUG off would not serve
        )

    def make_definitions(self) -> None:
        for kind, name, type_, choices, description in DEFINITIONS:
            values = {"type": type_, "choices": choices, "description": description}
            AttributeDefinition.objects.get_or_create(kind=kind, name=name, defaults=values)

    def make_users(self, team: Team) -> Any:
        """Make the users that are not there, and return the first of them."""
        for login_id, first_name, last_name, custom, skills in USERS:
            if not User.objects.filter(login_id=login_id).exists():
                user = User.objects.create_user(
                    login_id,
                    f"{login_id}@desk.example",
                    first_name=first_name,
                    last_name=last_name,
                    custom_attributes=custom,
                    skill_attributes=skills,
                )
                Membership.objects.create(user=user, team=team)
        return User.objects.get(login_id=USERS[0][0])

    def make_administrator(self, team: Team) -> str | None:
        """Make the administrator and return the password; None where one is there already."""
        if User.objects.filter(login_id=ADMINISTRATOR).exists():
            return None
        password = secrets.token_urlsafe(12)
        user = User.objects.create_superuser(
            ADMINISTRATOR, "admin@desk.example", password, first_name="Ada", last_name="Admin"
        )
        Membership.objects.create(user=user, team=team, role=Membership.Role.MANAGER)
        return password

    def show(self, port: int, team: Team, user: Any, password: str | None, secret: str) -> None:
        address = f"http://127.0.0.1:{port}"
        login = (
            f"{ADMINISTRATOR}, password {password} (shown this once)"
            if password
            else f"{ADMINISTRATOR}, with the password that the first run showed"
        )
        self.stdout.write(f"""
Update {user.first_name} {user.last_name} (the token is good for {TOKEN_LIFETIME.days} days):

curl -i -X PATCH {address}/api/users/{user.pk} \\
  -H 'Authorization: Bearer {secret}' \\
  -H 'teamid: {team.pk}' \\
  -H 'Content-Type: application/json' \\
  -d '{{"job_description": "Team lead", "custom_attributes": {{"business": "Banking"}}}}'

Admin site: {address}/admin/
Log in as:  {login}
Database:   {connection.settings_dict["NAME"]}
""")
        self.stdout.flush()
