"""What a test needs, and what happens where that is absent."""

import os

import pytest
from django.db import connection

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own")
on_server = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server")


def absent(reason):
    """Skip the test, or fail in CI, where nothing may be absent."""
    pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
