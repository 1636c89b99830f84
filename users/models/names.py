"""What users and teams share: names that are unique whatever the case."""

from collections.abc import Collection
from typing import Any

from django.db import router, transaction
from django.utils.translation import gettext

from users.db.fields import Folded, FoldedField, SearchableField
from users.models.fixtures import CheckedFixture
from users.names import fold


class UniquelyNamed(CheckedFixture):
    """A model with names that are unique as `FoldedField`s; its `clean()` says which is taken."""

    class Meta:
        abstract = True

    def save(self, **kwargs: Any) -> None:
        """Save; with a name that is saved in part (`update_fields`, `only()`), what it folds to."""
        saved = kwargs.get("update_fields")
        if saved is None:
            saved = self._part_that_was_read()
        if saved is not None:
            field_names = set(saved)
            folded = {
                field.attname
                for field in self._meta.concrete_fields
                if isinstance(field, Folded) and not field_names.isdisjoint(field.sources)
            }
            kwargs["update_fields"] = field_names | folded
        computed = self._saved_as_expressions()
        if not computed:
            super().save(**kwargs)
            return
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using, savepoint=False):
            super().save(**kwargs)
            rows = type(self)._base_manager.using(using).filter(pk=self.pk)
            stored = rows.only(*(name for field in computed for name in field.of)).get()
            rows.update(**{field.attname: field.folded(stored) for field in computed})

    def _saved_as_expressions(self) -> list[SearchableField]:
        """Return the fields that fold what the database has yet to compute."""
        return [
            field
            for field in self._meta.concrete_fields
            if isinstance(field, SearchableField)
            and any(hasattr(self.__dict__.get(name), "resolve_expression") for name in field.of)
        ]

    @classmethod
    def _stored_fields(cls) -> set[str]:
        """Return the fields that a save of the whole stores."""
        fields = cls._meta.concrete_fields
        return {field.attname for field in fields if not field.primary_key and not field.generated}

    def _part_that_was_read(self) -> set[str] | None:
        """Return the fields to save of an instance that was read in part (`only()`), else None.

        It is what Django saves of it.
        """
        read = self._stored_fields() & self.__dict__.keys()
        return None if read == self._stored_fields() else read

    @classmethod
    def _folded_fields(cls) -> "list[FoldedField]":
        return [field for field in cls._meta.concrete_fields if isinstance(field, FoldedField)]

    def fixture_errors(self) -> dict[str, str]:
        """Besides, return an error message for each name in which nothing can be seen."""
        names = {field.of: getattr(self, field.of) for field in self._folded_fields()}
        unseen = {
            n: gettext("Must have a character that can be seen.")
            for n in names
            if not fold(names[n] or "")
        }
        return {**super().fixture_errors(), **unseen}

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Validate the constraints but those on folded fields: `clean()` names the real ones."""
        folded = (field.attname for field in self._folded_fields())
        super().validate_constraints({*(exclude or ()), *folded})
