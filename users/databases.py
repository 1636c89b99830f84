"""What the databases do each in their own way."""

from django.db import Error, models

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


class HeldOnSQLite(models.Func):
    """Whether a JSON object (1) holds a key (2) with a choice (3): as its value, or in its list.

    Without a choice (NULL), whether it holds the key. SQLite has no operators for it, and its JSON
    paths do not take every key.
    """

    template = """EXISTS (
        WITH asked (object, name, choice) AS (SELECT %(expressions)s)
        SELECT 1 FROM asked, json_each(asked.object) AS held
        WHERE held.key = asked.name AND (
            asked.choice IS NULL
            OR held.value = asked.choice
            OR held.type = 'array' AND EXISTS (
                SELECT 1 FROM json_each(held.value) AS item WHERE item.value = asked.choice
            )
        )
    )"""
    output_field = models.BooleanField()
