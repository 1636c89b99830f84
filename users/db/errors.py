"""Telling apart what database errors mean."""

from django.db import Error, InterfaceError, OperationalError

# SQLSTATE deadlock_detected, serialization_failure; ER_LOCK_DEADLOCK
_POSTGRESQL_DEADLOCKS = ("40P01", "40001")
_MARIADB_DEADLOCK = 1213
_POSTGRESQL_READ_ONLY = "25006"  # SQLSTATE read_only_sql_transaction
# SQLSTATE connection_exception, admin_shutdown and the like, idle_in_transaction_session_timeout
_POSTGRESQL_LOST = ("08", "57P0", "25P03")
# CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_SERVER_GONE_ERROR, CR_SERVER_LOST, ER_SERVER_SHUTDOWN,
# ER_CONNECTION_KILLED, ER_CLIENT_INTERACTION_TIMEOUT
_MARIADB_LOST = (2002, 2003, 2006, 2013, 1053, 1927, 4031)
# SQLSTATE feature_not_supported ("cached plan must not change result type"), and
# invalid_sql_statement_name
_POSTGRESQL_OUTDATED = ("0A000", "26000")
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


def is_lost_connection(error: Error) -> bool:
    """Return True if there was no connection, or it broke: what it had not committed is undone."""
    sqlstate = getattr(error.__cause__, "sqlstate", "")
    if sqlstate is None:  # the client library's own error
        return isinstance(error, (InterfaceError, OperationalError))
    return sqlstate.startswith(_POSTGRESQL_LOST) or error.args[:1] in [(n,) for n in _MARIADB_LOST]


def is_outdated_statement(error: Error) -> bool:
    """Return True if a statement was prepared before a table that it uses was altered.

    `users.db.postgresql.prepared` has forgotten it by then.
    """
    return getattr(error.__cause__, "sqlstate", None) in _POSTGRESQL_OUTDATED
