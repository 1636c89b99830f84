"""What a database's errors mean."""

from django.db import Error

# PostgreSQL's SQLSTATE read_only_sql_transaction; MariaDB's ER_OPTION_PREVENTS_STATEMENT and
# ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION.
_POSTGRESQL_READ_ONLY = "25006"


_MARIADB_READ_ONLY = (1290, 1792)


def refuses_writes(error: Error) -> bool:
    """Whether the database says by `error` that it takes no writes.

    It may say so before the first of them: a row lock, and on SQLite the begin of the transaction,
    are writes to it.
    """
    cause = error.__cause__
    return (
        getattr(cause, "sqlstate", None) == _POSTGRESQL_READ_ONLY
        or getattr(cause, "sqlite_errorname", "").startswith("SQLITE_READONLY")
        or (bool(error.args) and error.args[0] in _MARIADB_READ_ONLY)
    )
