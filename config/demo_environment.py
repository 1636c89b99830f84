"""The environment of `manage.py demo`, which needs no configuration."""

import secrets
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import quote

_PROJECT = Path(__file__).resolve().parent.parent


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set the demo's environment variables, whatever `.env` says.

    The demo serves plain HTTP on localhost, prints mails, and uses a SQLite database of its own, or
    the SQLite file in the environment's `DATABASE_URL`.
    """
    if not environment.get("DATABASE_URL", "").startswith("sqlite:"):
        environment["DATABASE_URL"] = f"sqlite:///{quote(str(_PROJECT / 'demo.sqlite3'))}"
    environment["SECRET_KEY"] = _secret_key(_PROJECT / ".demo-secret-key")
    environment["DEBUG"] = "off"
    environment["HTTPS"] = "off"
    environment["ALLOWED_HOSTS"] = "127.0.0.1,localhost"
    environment["EMAIL_URL"] = "consolemail://"
    environment["EMAIL_FROM"] = ""
    environment["PUBLIC_URL"] = "http://127.0.0.1:8000"  # the command sets the port


def _secret_key(file: Path) -> str:
    # Kept in a file, so that users stay logged in when the demo restarts.
    if not kept(file):
        keep(file, secrets.token_urlsafe(50))
    return kept(file)


def kept(file: Path) -> str:
    """Return the secret that an earlier run stored in `file`, or an empty string."""
    return file.read_text() if file.exists() else ""


def keep(file: Path, secret: str) -> None:
    """Write `secret` to `file`, readable only by its owner."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(secret)
