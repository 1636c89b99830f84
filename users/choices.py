"""Renames a choice of an attribute for all users who have it, or replaces it by another."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext

from users import changes
from users.models import AttributeDefinition, holders, locking

_BATCH = 500


def renamed(definition: AttributeDefinition, old: str, new: str) -> list[str]:
    """Return the choices of `definition` after `old` is renamed to `new`, or replaced by it.

    If `new` is a choice already, `old` is replaced; otherwise it is renamed, in its place.

    Raises `ValidationError`.
    """
    if not definition.has_choices:
        raise ValidationError(gettext("This type has no choices."))
    if old == new:
        raise ValidationError(gettext("Enter another name."))
    if new in definition.choices:
        return [choice for choice in definition.choices if choice != old]
    if old not in definition.choices:
        raise ValidationError(
            gettext("“%s” is no longer a choice: replace it by one that is a choice.") % old
        )
    return [new if choice == old else choice for choice in definition.choices]


def rename(
    definition_id: Any,
    old: str,
    new: str,
    using: str,
    *,
    also_lock: Collection[Any] = (),
    check: Callable[[Sequence[Any]], None] = lambda users: None,
) -> int:
    """Rename a choice in its definition and for all users who have it; return how many.

    It is one transaction, and each user has a line in the history. If superusers are locked at all
    (`UserManager.lock_superusers`), the caller has done so before.

    also_lock: the ids of other users, who are locked as well.
    check: called first without users, once they are locked, and then with those who are about to
        change. If it raises, nothing changes.

    Raises `AttributeDefinition.DoesNotExist` and `ValidationError`.
    """
    with transaction.atomic(using=using):
        definitions = AttributeDefinition.objects.using(using).select_for_update()
        definition = definitions.get(pk=definition_id)
        found = holders(definition, old).using(using)
        definition.choices = renamed(definition, old, new)
        definition.rename_labels(old, new)
        definition.full_clean()
        batches = _locked([*found.order_by().values_list("pk", flat=True), *also_lock], using)
        check([])
        definition.save(using=using)
        count = 0
        for ids in batches:
            users = list(found.filter(pk__in=ids).order_by("pk"))
            check(users)
            changes.save_many(
                [(user, _changed(user, definition, old, new)) for user in users], using
            )
            count += len(users)
        return count


def _locked(user_ids: Iterable[Any], using: str) -> list[list[Any]]:
    """Lock users, and return their ids in batches."""
    ids = sorted(set(user_ids))
    locking.lock_ids(ids, using)
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]


def _changed(user: Any, definition: AttributeDefinition, old: str, new: str) -> dict[str, Any]:
    attributes = getattr(user, definition.field)
    value = _replaced(attributes[definition.name], old, new)
    return {definition.field: {**attributes, definition.name: value}}


def _replaced(value: Any, old: str, new: str) -> Any:
    """Return `value` with `new` for `old`; a list has `new` once."""
    if not isinstance(value, list):
        return new
    items = [new if item == old else item for item in value]
    first = items.index(new)
    return [item for number, item in enumerate(items) if item != new or number == first]
