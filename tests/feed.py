"""What the tests of the feed of changes have in common."""

import time
from datetime import timedelta

from django.db import connection
from django.db.models import Max

from users import feed
from users.models import Change


def hold_nothing_back(monkeypatch):
    """Serve each change at once on MariaDB, where no test here has overlapping transactions."""
    monkeypatch.setattr(feed, "MARIADB_HOLD", timedelta(0))


def wait_for_horizon():
    """Wait until no transaction of the server, of other tests too, holds back the last change."""
    last = Change.objects.aggregate(last=Max("transaction_id"))["last"] or 0
    deadline = time.monotonic() + 60
    while (
        connection.vendor == "postgresql" and feed.state("default").horizon.transaction_id <= last
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)
