"""What the databases do each in their own way."""

from typing import Any

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


class JSONRows(models.Func):
    """All rows of a query as one JSON list, each row the list of the values of its expressions.

    Where there are no rows it is NULL or empty, as the database has it.
    """

    template = "json_group_array(json_array(%(expressions)s))"
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "jsonb_agg(jsonb_build_array(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "JSON_ARRAYAGG(JSON_ARRAY(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **context)


class JSONValue(models.Func):
    """A JSON field within JSON: its value, where some databases would take its text."""

    template = "json(%(expressions)s)"
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "JSON_EXTRACT(%(expressions)s, '$')"
        return self.as_sql(compiler, connection, template=template, **context)
