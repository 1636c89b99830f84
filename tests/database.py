"""What tests ask of the database, past the code that they test."""

import re

from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, connections


def forget_creations():
    """Have users that the test has made be older than its transaction, as after a commit."""
    vars(connections[DEFAULT_DB_ALIAS]).pop("users_creations", None)


def stored(user):
    """Return the user as the database has it."""
    return get_user_model().objects.get(pk=user.pk)


def row(user):
    """Return all columns of the user's row."""
    return get_user_model().objects.filter(pk=user.pk).values().get()


def store(user, **fields):
    """Set columns of the user's row, without validation or side effects."""
    get_user_model().objects.filter(pk=user.pk).update(**fields)


def data_statements(queries):
    """Return the statements among the captured queries that do not only frame a transaction."""
    own = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
    return [query["sql"] for query in queries if not own.match(query["sql"])]
