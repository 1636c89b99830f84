"""Model fields."""

from typing import Any

from django.db import models
from django.db.models import lookups

from users.names import MAX_LENGTH, fold


class ExactCharField(models.CharField):
    """A CharField that compares by code point.

    By MariaDB's default collation, "résumé" equals "resume", and any two emoji are equal.
    """

    def db_parameters(self, connection: Any) -> Any:
        parameters: Any = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"  # as for its JSON columns
        return parameters


class _AnyCase(lookups.BuiltinLookup):
    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        sql, parameters = super().process_lhs(compiler, connection, lhs)
        if connection.vendor == "mysql":  # where the collation decides
            sql += " COLLATE utf8mb4_general_ci"
        return sql, parameters


for _lookup in (lookups.IExact, lookups.IContains, lookups.IStartsWith, lookups.IEndsWith):
    ExactCharField.register_lookup(type(_lookup.__name__, (_AnyCase, _lookup), {}))


class FoldedAttribute:
    """The descriptor of a `FoldedField`: its value is always computed from the other field."""

    def __init__(self, field: "FoldedField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = getattr(instance, self.field.of)
        return value and fold(value)

    def __set__(self, instance: models.Model, value: object) -> None:
        # Never read, but Django considers a field deferred if it is not in `__dict__`.
        instance.__dict__[self.field.attname] = value


class FoldedField(ExactCharField):
    """The folded value of another field (`users.names.fold`), for a unique constraint.

    It is folded in Python, because SQLite and some PostgreSQL collations fold only ASCII. Every way
    of saving an instance stores it, `loaddata` and `bulk_create` included.

    of: the name of the other field.
    """

    descriptor_class = FoldedAttribute

    def __init__(self, *args: Any, of: str = "", **kwargs: Any) -> None:
        self.of = of
        kwargs |= {"editable": False, "max_length": MAX_LENGTH}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"], kwargs["max_length"]
        return name, path, args, {**kwargs, "of": self.of}
