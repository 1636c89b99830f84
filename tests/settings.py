"""The settings under test: as deployed, but for plain HTTP and a quick password hasher."""

import os
import secrets
import tempfile
from pathlib import Path

os.environ["SECRET_KEY"] = secrets.token_urlsafe(50)
os.environ["DEBUG"] = "off"
os.environ["HTTPS"] = "off"
os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
os.environ["EMAIL_URL"] = "smtp://127.0.0.1:1"
os.environ["PUBLIC_URL"] = "http://testserver"

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file, for the tests that start a server need a database that it can open too.
    DATABASES["default"]["TEST"] = {  # noqa: F405
        "NAME": Path(tempfile.gettempdir()) / f"desk-users-test-{os.getpid()}.sqlite3"
    }
