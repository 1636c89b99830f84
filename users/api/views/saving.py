"""The transaction of an update, of one user or of many."""

from collections.abc import Iterator
from contextlib import contextmanager

import django.db

from users.api import status_codes
from users.api.envelope import ApiError
from users.db import transactions
from users.db.errors import refuses_writes

_OUTCOME_UNKNOWN = "The connection broke in the commit: it is unknown whether the update is stored."


class Attempt:
    """An update that is being made; `writes` is true from before its first write on."""

    writes = False


@contextmanager
def saving(using: str) -> Iterator[Attempt]:
    """Update users inside, in a transaction on the database `using`.

    Raises `ApiError` 3104 if the database refuses the update, or fails from its first write on.
    """
    attempt = Attempt()
    try:
        with transactions.atomic(using):
            yield attempt
    except django.db.Error as error:
        if attempt.writes or refuses_writes(error):
            unknown = isinstance(error, transactions.OutcomeUnknownError)
            errors = {"body": [_OUTCOME_UNKNOWN]} if unknown else None
            raise ApiError(status_codes.UPDATE_FAILED, errors) from error
        raise
