"""Telling apart what database errors mean."""

from django.db import Error

# SQLSTATE deadlock_detected, serialization_failure; ER_LOCK_DEADLOCK
_POSTGRESQL_DEADLOCKS = ("40P01", "40001")
_MARIADB_DEADLOCK = 1213
_POSTGRESQL_READ_ONLY = "25006"  # SQLSTATE read_only_sql_transaction
# ER_OPTION_PREVENTS_STATEMENT, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
_MARIADB_READ_ONLY = (1290, 1792)


def refuses_writes(error: Error) -> bool:
    """Return True if `error` says that the database is read-only.

    It may come before the first write, because a read-only database refuses row locks too (SQLite:
    the beginning of the transaction).
    """
    cause = error.__cause__
    return (
        getattr(cause, "sqlstate", None) == _POSTGRESQL_READ_ONLY
        or getattr(cause, "sqlite_errorname", "").startswith("SQLITE_READONLY")
        or (bool(error.args) and error.args[0] in _MARIADB_READ_ONLY)
    )


def is_deadlock(error: Error) -> bool:
    """Return True if the transaction was rolled back for others, and may be tried again."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate in _POSTGRESQL_DEADLOCKS or error.args[:1] == (_MARIADB_DEADLOCK,)
