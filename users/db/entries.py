"""Counts what the JSON objects of many rows hold, by one query."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import connections
from django.db.models import Count, QuerySet

from users.attributes.values import JSONDecoder

_SQL = {
    "postgresql": """
        SELECT key, CASE WHEN key IN (SELECT jsonb_array_elements_text(%s::jsonb))
                OR value = 'false' THEN value::text END, sum(number)::bigint
        FROM (  -- what is the same in many rows is taken apart once
            SELECT object, count(*) AS number
            FROM (
                SELECT rows.{column} - ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)) AS object
                FROM ({rows}) AS rows
                OFFSET 0  -- so that it expects few groups, and does not sort
            ) AS objects
            GROUP BY object
        ) AS grouped CROSS JOIN LATERAL jsonb_each(object)
        GROUP BY 1, 2""",
    "sqlite": """
        SELECT held.key, CASE
            WHEN held.type = 'false' THEN 'false'
            WHEN held.key NOT IN (SELECT value FROM json_each(%s)) THEN NULL
            WHEN held.type = 'true' THEN 'true'
            WHEN held.type = 'array' THEN held.value  -- as text, which would be quoted
            ELSE json_quote(held.value) END, count(*)
        FROM (SELECT %s AS names) AS left_out, ({rows}) AS rows, json_each(rows.{column}) AS held
        WHERE held.key NOT IN (SELECT value FROM json_each(left_out.names))
        GROUP BY 1, 2""",
}


Entry = tuple[str, Any, int]


def count_entries(
    rows: QuerySet[Any], field: str, names: Iterable[str], left_out: Iterable[str] = ()
) -> list[Entry]:
    """Return (key, value, count) for the keys of the JSON objects in `field` of `rows`.

    names: the keys to count by value. For all others, the value is None, unless it is false.
    left_out: the keys not to count. It is fastest without those whose values are many.
    """
    asked, others = list(names), list(left_out)
    connection = connections[rows.db]
    sql = _SQL.get(connection.vendor)
    if sql is None:
        return _counted_here(rows, field, set(asked), set(others))
    column = rows.model._meta.get_field(field).column
    inner, parameters = rows.order_by().values_list(field).query.sql_with_params()
    query = sql.format(rows=inner, column=connection.ops.quote_name(column))
    with connection.cursor() as cursor:
        cursor.execute(query, [json.dumps(asked), json.dumps(others), *parameters])
        found = cursor.fetchall()
    return [
        (key, None if text is None else json.loads(text, cls=JSONDecoder), count)
        for key, text, count in found
    ]


def _counted_here(
    rows: QuerySet[Any], field: str, names: set[str], left_out: set[str]
) -> list[Entry]:
    """Count where the database has no table of an object's keys (MariaDB)."""
    counts = Counter[tuple[str, str]]()
    grouped = rows.order_by().values_list(field).annotate(Count("pk"))
    for attributes, number in grouped.iterator():
        for key in attributes.keys() - left_out:
            value = attributes[key]
            is_told = key in names or value is False
            counts[key, json.dumps(value if is_told else None)] += number
    return [(key, json.loads(text), number) for (key, text), number in counts.items()]
