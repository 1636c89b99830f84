"""Database functions that Django does not have."""

import json
import re
from typing import Any

from django.db import models
from django.db.models import functions


class SHA256(functions.SHA256):
    """Django's SHA256, but without the extension pgcrypto on PostgreSQL."""

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
        return self.as_sql(compiler, connection, template=template, **context)


class IsSame(models.Func):
    """True if two values are equal; compared only in rows that meet all other conditions.

    A plain `=` is also a key by which PostgreSQL joins: it would compute its values of all rows.
    """

    template = "((%(expressions)s) IS TRUE)"
    arg_joiner = " = "
    output_field = models.BooleanField()


class CountRows(models.Func):
    """How many rows a query has, as the one value of a subquery."""

    template = "COUNT(*)"
    output_field = models.BigIntegerField()


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
    """The value in a JSON object (first argument) of any key (second argument)."""

    template = """(
        WITH asked (object, name) AS (SELECT %(expressions)s)
        SELECT CASE held.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
            ELSE json_quote(held.value) END  -- of a boolean, the value is 0 or 1
        FROM asked, json_each(asked.object) AS held
        WHERE held.key = asked.name
    )"""
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="(%(expressions)s::text)", arg_joiner=" -> ", **context
        )

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        clone = self.copy()
        json_object, name = self.get_source_expressions()
        path: models.Expression
        if name.value.startswith("-"):
            # No path of MariaDB finds it, not even in quotes: take the value at the key's position.
            json_object, path = _all_values(json_object), _path_of_position(json_object, name.value)
        else:
            # Escape non-ASCII characters in the path, as Django does in the stored object.
            path = models.Value(f"$.{json.dumps(name.value)}", models.CharField())
        clone.set_source_expressions([json_object, path])
        template = "JSON_EXTRACT(%(expressions)s)"
        return clone.as_sql(compiler, connection, template=template, **context)


def _all_values(json_object: Any) -> models.Func:
    """Return MariaDB's expression for the list of the values in a JSON object."""
    return models.Func(json_object, models.Value("$.*"), function="JSON_EXTRACT")


def _path_of_position(json_object: Any, key: str) -> models.Func:
    """Return MariaDB's expression for the path of a key in the list of all keys."""
    pattern = re.sub(r"([\\%_])", r"\\\1", key)  # of LIKE
    keys = models.Func(json_object, function="JSON_KEYS")
    found = models.Func(
        keys,
        models.Value("one"),
        models.Value(pattern),
        template="JSON_SEARCH(%(expressions)s COLLATE utf8mb4_bin)",
    )
    return models.Func(found, function="JSON_UNQUOTE")


class JSONRows(models.Func):
    """Aggregates the rows of a query into one JSON list of lists.

    Without rows, it is NULL or an empty list, depending on the database.
    """

    template = "json_group_array(json_array(%(expressions)s))"
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "jsonb_agg(jsonb_build_array(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "JSON_ARRAYAGG(JSON_ARRAY(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **context)


class JSONList(models.Func):
    """The values of an expression in all rows of a query, as one JSON list."""

    template = "json_group_array(%(expressions)s)"
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="jsonb_agg(%(expressions)s)", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "JSON_ARRAYAGG(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, **context)


class JSONValue(models.Func):
    """A JSON field as an argument of a JSON function, where some databases would take its text."""

    template = "json(%(expressions)s)"
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "JSON_EXTRACT(%(expressions)s, '$')"
        return self.as_sql(compiler, connection, template=template, **context)


class TransactionID(models.Func):
    """The id of the running transaction; ids rise in the order in which transactions first write.

    Only PostgreSQL has one; elsewhere it is 0. As the `db_default` of a column, it is the id of the
    transaction that inserted the row.
    """

    template = "0"
    output_field = models.BigIntegerField()
    allowed_default = True

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(pg_current_xact_id()::text::bigint)"
        return self.as_sql(compiler, connection, template=template, **context)


class OldestTransactionID(models.Func):
    """The id of the oldest transaction that still runs; all with lower ids have ended.

    Only PostgreSQL tells it; elsewhere it is 0.
    """

    template = "0"
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
        return self.as_sql(compiler, connection, template=template, **context)


class Row(models.Func):
    """A row of several values, which is compared value by value."""

    template = "(%(expressions)s)"
    output_field = models.BigIntegerField()

    def __init__(self, *values: Any) -> None:
        super().__init__(*(models.Value(v) if isinstance(v, int) else v for v in values))


class JSONListContains(models.Func):
    """True if a JSON list (second argument) contains a number, on SQLite."""

    template = "(%(expressions)s)))"
    arg_joiner = " IN (SELECT value FROM json_each("
    output_field = models.BooleanField()

    def __init__(self, number: int, json_list: Any) -> None:
        super().__init__(models.Value(number), json_list)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, **context)


class HasOnlyKey(models.Func):
    """True if a JSON object is empty but for one key, which is an identifier."""

    template = "(JSON_REMOVE(%(expressions)s, '$.%(key)s') = '{}')"
    output_field = models.BooleanField()

    def __init__(self, json_object: Any, key: str) -> None:
        super().__init__(json_object, key=key)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(%(expressions)s - '%(key)s' = '{}'::jsonb)"
        return self.as_sql(compiler, connection, template=template, **context)
