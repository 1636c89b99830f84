"""What the databases do each in their own way."""

import json
from typing import Any

from django.db import Error, models
from django.db.migrations.operations.base import Operation
from django.db.models import functions, lookups

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


class ExactCharField(models.CharField):
    """A CharField that is compared by code point.

    MariaDB by default takes "résumé" for "resume", and any emoji for any other.
    """

    def db_parameters(self, connection: Any) -> Any:
        parameters: Any = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"  # as its JSON columns, which stand beside it
        return parameters


class _AnyCase(lookups.BuiltinLookup):
    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        sql, parameters = super().process_lhs(compiler, connection, lhs)
        if connection.vendor == "mysql":  # where the collation alone ignores the case
            sql += " COLLATE utf8mb4_general_ci"
        return sql, parameters


for _lookup in (lookups.IExact, lookups.IContains, lookups.IStartsWith, lookups.IEndsWith):
    ExactCharField.register_lookup(type(_lookup.__name__, (_AnyCase, _lookup), {}))


class SHA256(functions.SHA256):
    """The SHA-256 digest of a text, for which Django asks PostgreSQL for an extension."""

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
        return self.as_sql(compiler, connection, template=template, **context)


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


class JSONType(models.Func):
    """The type of a JSON value: "object", "array", and so on."""

    template = "json_type(%(expressions)s)"
    output_field = models.CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="jsonb_typeof(%(expressions)s)", **context
        )

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "LOWER(JSON_TYPE(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **context)


class HeldValue(models.Func):
    """The value that a JSON object (1) holds under a key (2), whatever the key."""

    template = """(
        WITH asked (object, name) AS (SELECT %(expressions)s)
        SELECT json_quote(held.value) FROM asked, json_each(asked.object) AS held
        WHERE held.key = asked.name
    )"""
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "jsonb_extract_path(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # The path as Django writes it: what is not ASCII is escaped there as in the object.
        clone = self.copy()
        json_object, name = self.get_source_expressions()
        path = models.Value(f"$.{json.dumps(name.value)}", models.CharField())
        clone.set_source_expressions([json_object, path])
        template = "JSON_EXTRACT(%(expressions)s)"
        return clone.as_sql(compiler, connection, template=template, **context)


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


class LeaveRoomForUpdates(Operation):
    """Have PostgreSQL leave room beside the rows of a model for new versions of them.

    An update whose new row fits beside the old one touches none of the table's indexes
    (PostgreSQL's documentation, "Heap-Only Tuples"). With a million users, the call is a tenth
    faster. Rows that are there already get room as they are updated.

    model_name: a model of the migration's app. A project with a user model of its own puts the
        operation into a migration of its own.
    """

    reduces_to_sql = True
    reversible = True
    _FILL_FACTOR = 85  # per cent: room for a new version of one row in seven at a time

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: the room is no part of a model."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._alter(app_label, schema_editor, to_state, f"SET (fillfactor = {self._FILL_FACTOR})")

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._alter(app_label, schema_editor, to_state, "RESET (fillfactor)")

    def _alter(self, app_label: str, schema_editor: Any, state: Any, change: str) -> None:
        model = state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if connection.vendor == "postgresql" and self.allow_migrate_model(connection.alias, model):
            table = schema_editor.quote_name(model._meta.db_table)
            schema_editor.execute(f"ALTER TABLE {table} {change}")

    def describe(self) -> str:
        return f"Leave room for updates of {self.model_name}"
