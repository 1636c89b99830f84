"""A transaction whose end tells what is stored."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, OperationalError, connections, transaction

logger = logging.getLogger(__name__)

_POSTGRESQL_IN_ERROR = 3  # libpq's PQTRANS_INERROR


class OutcomeUnknownError(OperationalError):
    """The connection broke in the commit: what was written may be stored or not."""


@contextmanager
def atomic(using: str) -> Iterator[None]:
    """As the outermost `transaction.atomic`, but it succeeds where the commit does, and only there.

    Django's own also fails where the commit succeeded and an `on_commit` callback raised, which is
    logged here; and it succeeds where somebody swallowed a database error, so that the transaction
    is rolled back, which is a `DatabaseError` here.
    """
    connection: Any = connections[using]
    committed = committing = False

    def note_commit() -> None:
        nonlocal committed
        committed = True

    try:
        with transaction.atomic(using=using):
            driver_connection = connection.connection
            transaction.on_commit(note_commit, using=using)
            yield
            if _will_be_rolled_back(connection):
                raise DatabaseError("An error in the transaction was swallowed: it is rolled back.")
            committing = True
    except Exception as error:
        if committed:
            logger.exception("A callback failed after the commit")
        elif committing and connection.connection is not driver_connection:
            raise OutcomeUnknownError from error
        else:
            raise


def _will_be_rolled_back(connection: Any) -> bool:
    """Whether a commit would store nothing, as far as is known without asking the server."""
    if connection.needs_rollback or connection.closed_in_transaction:
        return True
    if connection.vendor == "postgresql":  # which makes a rollback of the commit, without an error
        return connection.connection.info.transaction_status == _POSTGRESQL_IN_ERROR
    # SQLite ends the transaction after some errors, such as a full disk.
    return connection.vendor == "sqlite" and not connection.connection.in_transaction
