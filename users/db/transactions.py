"""A transaction that succeeds exactly if its commit does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, OperationalError, connections, transaction

_POSTGRESQL_IN_ERROR = 3  # libpq's PQTRANS_INERROR


class OutcomeUnknownError(OperationalError):
    """The connection broke during the commit: the changes may be stored or not."""


@contextmanager
def atomic(using: str) -> Iterator[None]:
    """Like an outermost `transaction.atomic`, but it succeeds exactly if the commit does.

    Django's also raises if an `on_commit` callback fails after the commit, and makes none of the
    calls after it; here that is only logged, and the others are made. And it does not raise if a
    database error was swallowed and the transaction is rolled back for it, which is a
    `DatabaseError` here.
    """
    connection: Any = connections[using]
    committing = False
    try:
        with transaction.atomic(using=using):
            driver_connection = connection.connection
            yield
            if _will_be_rolled_back(connection):
                raise DatabaseError("An error in the transaction was swallowed: it is rolled back.")
            # Robust, all of them: Django logs what fails after the commit.
            hooks = connection.run_on_commit
            connection.run_on_commit = [(sids, function, True) for sids, function, _ in hooks]
            committing = True
    except Exception as error:
        if committing and connection.connection is not driver_connection:
            raise OutcomeUnknownError from error
        else:
            raise


def _will_be_rolled_back(connection: Any) -> bool:
    """Return True if a commit would be a rollback, as far as is known without a query."""
    if connection.needs_rollback or connection.closed_in_transaction:
        return True
    if connection.vendor == "postgresql":  # which turns COMMIT into ROLLBACK silently
        return connection.connection.info.transaction_status == _POSTGRESQL_IN_ERROR
    # SQLite ends the transaction after some errors, such as a full disk.
    return connection.vendor == "sqlite" and not connection.connection.in_transaction
