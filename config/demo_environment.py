"""The environment of `manage.py demo`, which needs no configuration."""

import secrets
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import quote

_PROJECT = Path(__file__).resolve().parent.parent


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set the variables that the demo runs with, whatever `.env` says.

    It serves plain HTTP to this machine alone, on a SQLite database of its own: it never touches
    another one, unless `DATABASE_URL` in the environment itself names a SQLite file.
    """
    if not environment.get("DATABASE_URL", "").startswith("sqlite:"):
        environment["DATABASE_URL"] = f"sqlite:///{quote(str(_PROJECT / 'demo.sqlite3'))}"
    environment["SECRET_KEY"] = _kept_secret_key(_PROJECT / ".demo-secret-key")
    environment["DEBUG"] = "off"
    environment["HTTPS"] = "off"
    environment["ALLOWED_HOSTS"] = "127.0.0.1,localhost"


def _kept_secret_key(file: Path) -> str:
    # Kept, so that who is logged in stays so when the demo starts again.
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text()
