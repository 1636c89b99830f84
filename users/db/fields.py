"""Fields of models."""

from typing import Any

from django.db import models
from django.db.models import lookups


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
