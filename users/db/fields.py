"""Model fields."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import lookups

from users.names import MAX_LENGTH, fold, fold_line


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
    """The descriptor of a `Folded` field: its value is always computed from the other fields."""

    def __init__(self, field: "Folded") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        return self if instance is None else self.field.folded(instance)

    def __set__(self, instance: models.Model, value: object) -> None:
        # Never read, but Django considers a field deferred if it is not in `__dict__`.
        instance.__dict__[self.field.attname] = value


class Folded(models.Field):
    """The base class of fields that store what others fold to (`users.names`).

    It is folded in Python, because SQLite and some PostgreSQL collations fold only ASCII. Every way
    of saving an instance stores it, `loaddata` and `bulk_create` included; `queryset.update()` does
    not.
    """

    descriptor_class = FoldedAttribute

    @property
    def sources(self) -> Sequence[str]:
        """The names of the other fields."""
        raise NotImplementedError

    def folded(self, instance: models.Model) -> Any:
        raise NotImplementedError


class FoldedField(Folded, ExactCharField):
    """The folded value of another field, for a unique constraint.

    of: the name of the other field.
    """

    def __init__(self, *args: Any, of: str = "", **kwargs: Any) -> None:
        self.of = of
        kwargs |= {"editable": False, "max_length": MAX_LENGTH}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"], kwargs["max_length"]
        return name, path, args, {**kwargs, "of": self.of}

    @property
    def sources(self) -> Sequence[str]:
        return (self.of,)

    def folded(self, instance: models.Model) -> Any:
        value = getattr(instance, self.of)
        return value and fold(value)


class SearchableField(Folded, models.TextField):
    """The folded values of several fields, each on a line of its own, to find a part of one.

    What is looked for is folded likewise (`users.names.fold_line`). No index serves it, so that
    updates remain heap-only.

    of: the names of the other fields.
    """

    def __init__(self, *args: Any, of: Sequence[str] = (), **kwargs: Any) -> None:
        self.of = tuple(of)
        super().__init__(*args, **{**kwargs, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, {**kwargs, "of": self.of}

    @property
    def sources(self) -> Sequence[str]:
        return self.of

    def folded(self, instance: models.Model) -> str:
        values = (getattr(instance, name) for name in self.of)
        # What an expression (`Upper("first_name")`) gives is known once it is saved.
        return "\n".join(fold_line(value) if isinstance(value, str) else "" for value in values)
