"""Fields of models."""

from typing import Any

from django.db import models
from django.db.models import lookups

from users.names import MAX_LENGTH, fold


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


class FoldedAttribute:
    """Descriptor of a `FoldedField`: always computed from the field that it folds."""

    def __init__(self, field: "FoldedField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = getattr(instance, self.field.of)
        return value and fold(value)

    def __set__(self, instance: models.Model, value: object) -> None:
        # Never read, but Django takes a field that is not in `__dict__` for a deferred one.
        instance.__dict__[self.field.attname] = value


class FoldedField(ExactCharField):
    """The value of another field as `users.names.fold` has it, for the database to keep unique.

    Python folds it, for SQLite and some of PostgreSQL's collations know the case of ASCII alone.
    Every way of saving an instance stores it (`loaddata` and `bulk_create` too).

    of: the name of the field that is folded.
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
