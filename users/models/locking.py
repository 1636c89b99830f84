"""The order in which many users are locked, so that no two transactions wait for each other.

Superusers who may enter the admin site come first, in the order of their ids, and then the others:
who takes access away from one superuser locks all, before any other user.
"""

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, models

from users.db.keys import in_parts

IS_ACTIVE_SUPERUSER = models.Q(
    is_superuser=True, status="active", role_type="Administrative"
)  # who may enter the admin site


def lock(users: models.QuerySet[Any], *fields: str) -> list[tuple[Any, ...]]:
    """Lock `users` by one statement, and return the id and `fields` of each.

    On MariaDB, lock the superusers among them by a statement before: it locks rows as it reads
    them, in the order of their ids, not as it returns them.
    """
    superusers_first = models.Case(models.When(IS_ACTIVE_SUPERUSER, then=0), default=1)
    locked = users.select_for_update().order_by(superusers_first, "pk")
    return list(locked.values_list("pk", *fields))


def lock_ids(ids: Collection[Any], using: str, *fields: str) -> list[tuple[Any, ...]]:
    """Lock the users with these ids, and return the id and `fields` of each."""
    users = get_user_model()._base_manager.using(using)
    parts = list(in_parts(sorted(ids)))
    if len(parts) > 1 or (len(ids) > 1 and connections[using].vendor == "mysql"):
        for part in parts:
            lock(users.filter(IS_ACTIVE_SUPERUSER, pk__in=part))
    return [row for part in parts for row in lock(users.filter(pk__in=part), *fields)]
