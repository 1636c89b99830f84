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
    environment["SECRET_KEY"] = _secret_key(_PROJECT / ".demo-secret-key")
    environment["DEBUG"] = "off"
    environment["HTTPS"] = "off"
    environment["ALLOWED_HOSTS"] = "127.0.0.1,localhost"


def _secret_key(file: Path) -> str:
    # Kept, so that who is logged in stays so when the demo starts again.
    if not kept(file):
        keep(file, secrets.token_urlsafe(50))
    return kept(file)


def kept(file: Path) -> str:
    """Return the secret that an earlier run kept in `file`, or an empty text."""
    return file.read_text() if file.exists() else ""


def keep(file: Path, secret: str) -> None:
    """Write `secret` into `file`, for nobody else on this machine to read."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(secret)
