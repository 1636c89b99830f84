"""Conditions that a JSON value keeps within what is known, the same on every database."""

import json
from collections.abc import Collection
from typing import Any

from django.db import models


class HasOtherKeys(models.Func):
    """True if a JSON object has a key besides `keys`."""

    output_field = models.BooleanField()

    def __init__(self, json_object: Any, keys: Collection[str]) -> None:
        super().__init__(json_object)
        self.keys = sorted(keys)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"(({column} - %s::text[]) <> '{{}}'::jsonb)", [*parameters, self.keys]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        known = "SELECT value FROM json_each(%s)"
        sql = f"(SELECT count(*) FROM json_each({column}) WHERE key NOT IN ({known})) > 0"  # noqa: S608 (no text of others)
        return sql, [*parameters, json.dumps(self.keys)]

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        if not self.keys:
            return f"(JSON_LENGTH({column}) > 0)", parameters
        # As Django stores the keys: escaped, where they are not ASCII.
        paths = [f"$.{json.dumps(key)}" for key in self.keys]
        removed = f"JSON_REMOVE({column}, {', '.join(['%s'] * len(paths))})"
        return f"(JSON_LENGTH({removed}) > 0)", [*parameters, *paths]


class IsListOf(models.Func):
    """True if a JSON value is a list, and each of its items is one of the strings `choices`."""

    output_field = models.BooleanField()

    def __init__(self, value: Any, choices: Collection[str]) -> None:
        super().__init__(value)
        self.choices = json.dumps(list(choices))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        value, parameters = compiler.compile(self.source_expressions[0])
        sql = f"(jsonb_typeof({value}) = 'array' AND {value} <@ %s::jsonb) IS TRUE"
        return sql, [*parameters, *parameters, self.choices]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        value, parameters = compiler.compile(self.source_expressions[0])
        known = "SELECT value FROM json_each(%s)"
        other = f"SELECT 1 FROM json_each({value}) AS item WHERE item.value NOT IN ({known})"  # noqa: S608 (no text of others)
        sql = f"(json_type({value}) = 'array' AND NOT EXISTS ({other})) IS TRUE"
        return sql, [*parameters, *parameters, self.choices]

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        value, parameters = compiler.compile(self.source_expressions[0])
        sql = f"(JSON_TYPE({value}) = 'ARRAY' AND JSON_CONTAINS(%s, {value})) IS TRUE"
        return sql, [*parameters, self.choices, *parameters]
