"""Conditions on a value in a JSON object, the same on every database.

Values are compared as JSON has them: true is not 1, 1 is 1.0, and a value of another type meets no
comparison. Any string can be the key.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.db import models

from users.db.functions import HeldValue

#: The operators that compare numbers, with those of SQL.
COMPARISONS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

# On PostgreSQL, so many values are looked up one by one, in an index if there is one. More are
# compared as a whole: compiling (JIT) a search of thousands of comparisons took over a minute.
_MAX_INDEXED = 10

# Two values of `json_each` are equal; lists item by item. Of a boolean, the value is 0 or 1.
_EQUAL_ON_SQLITE = """
    replace({0}.type, 'real', 'integer') = replace({1}.type, 'real', 'integer')
    AND {0}.value = {1}.value
"""
_EQUAL_LISTS_ON_SQLITE = f"""
    json_array_length(held.value) = json_array_length(operand.value)
    AND NOT EXISTS (
        SELECT 1 FROM json_each(operand.value) AS wanted
        LEFT JOIN json_each(held.value) AS item ON item.key = wanted.key
            AND {_EQUAL_ON_SQLITE.format("item", "wanted")}
        WHERE item.key IS NULL
    )
"""


class JSONHolds(models.Func):
    """True if a JSON object has a key, and its value meets a condition.

    operator: `eq` or `in`: the value equals one of the operands. `contains`: it is a list, and one
        of its items equals the operand. `exists`: any value will do. One of `COMPARISONS`: it is a
        number.
    operands: JSON values; no objects.
    """

    output_field = models.BooleanField()

    def __init__(
        self, json_object: Any, key: str, operator: str, operands: Sequence[Any] = ()
    ) -> None:
        super().__init__(json_object)
        self.key = key
        self.operator = operator
        self.operands = operands

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Use `@>` for all that it can express, since a GIN index of `jsonb_path_ops` serves it."""
        column, of_column = compiler.compile(self.source_expressions[0])
        value, of_value = f"({column} -> %s::text)", [*of_column, self.key]
        if self.operator == "exists":
            return f"({column} ? %s::text)", of_value
        if self.operator in COMPARISONS:
            sql = (
                f"(jsonb_typeof{value} = 'number' "
                f"AND {value} {COMPARISONS[self.operator]} %s::jsonb) IS TRUE"
            )
            return sql, [*of_value, *of_value, json.dumps(self.operands[0])]
        if len(self.operands) > _MAX_INDEXED:
            operands = list(map(json.dumps, self.operands))
            return f"({value} = ANY (%s::jsonb[])) IS TRUE", [*of_value, operands]
        parts, parameters = [], []
        for operand in self.operands:
            held = [operand] if self.operator == "contains" else operand
            part = f"{column} @> %s::jsonb"
            parameters += [*of_column, json.dumps({self.key: held})]
            if isinstance(operand, list):  # which `@>` finds in longer lists, too
                part += f" AND {value} = %s::jsonb"
                parameters += [*of_value, json.dumps(operand)]
            parts.append(part)
        return f"({' OR '.join(parts)})", parameters

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        parameters = [*parameters, self.key]
        if self.operator in COMPARISONS:
            condition = (
                f"held.type IN ('integer', 'real') AND held.value {COMPARISONS[self.operator]} %s"
            )
            parameters += self.operands
        elif self.operator == "exists":
            condition = "TRUE"
        else:
            parameters.append(json.dumps(self.operands))
            if self.operator == "contains":
                condition = f"""CASE held.type WHEN 'array' THEN EXISTS (
                    SELECT 1 FROM json_each(%s) AS operand JOIN json_each(held.value) AS item
                    ON {_EQUAL_ON_SQLITE.format("item", "operand")}
                ) END"""
            else:
                condition = f"""EXISTS (
                    SELECT 1 FROM json_each(%s) AS operand
                    WHERE CASE WHEN held.type = 'array' AND operand.type = 'array'
                        THEN {_EQUAL_LISTS_ON_SQLITE}
                        ELSE {_EQUAL_ON_SQLITE.format("held", "operand")} END
                )"""
        return (
            f"EXISTS (SELECT 1 FROM json_each({column}) AS held WHERE held.key = %s"
            f" AND {condition})",
            parameters,
        )

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Use functions of MariaDB."""
        held = HeldValue(self.source_expressions[0], models.Value(self.key, models.CharField()))
        value, of_value = compiler.compile(held)
        if self.operator == "exists":
            return f"({value} IS NOT NULL)", of_value
        if self.operator in COMPARISONS:
            sql = (
                f"(JSON_TYPE({value}) IN ('INTEGER', 'DOUBLE') "
                f"AND {value} + 0e0 {COMPARISONS[self.operator]} %s) IS TRUE"
            )
            return sql, [*of_value, *of_value, float(self.operands[0])]
        if self.operator == "contains":
            # MariaDB takes numbers for equal here that differ by less than 1e-12.
            sql = f"(JSON_TYPE({value}) = 'ARRAY' AND JSON_CONTAINS({value}, %s)) IS TRUE"
            return sql, [*of_value, *of_value, json.dumps(self.operands[0])]
        parts = [f"JSON_EQUALS({value}, %s)"] * len(self.operands)
        parameters = [p for operand in self.operands for p in (*of_value, json.dumps(operand))]
        # MariaDB's JSON_EQUALS of NULL is not always NULL.
        sql = f"({value} IS NOT NULL AND ({' OR '.join(parts)})) IS TRUE"
        return sql, [*of_value, *parameters]
