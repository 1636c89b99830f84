"""A change of a user: validated against the locked row, then set and saved.

Every door goes through here: the API, the admin site's form and its bulk actions. None of them
repeats a rule; each formats the errors in its own way.
"""

from collections.abc import Collection, Mapping
from typing import Any

from users.attributes import values
from users.attributes.rules import Errors, Rules, flat
from users.attributes.types import Boolean, Choice, TrimmedText, Type
from users.models import AbstractUser

#: The fields that a change may name besides the attributes, and what each takes.
FIELDS: Mapping[str, Type] = {
    "first_name": TrimmedText(1, 150),
    "last_name": TrimmedText(0, 150),
    "status": Choice(AbstractUser.Status.values),
    "job_description": TrimmedText(0, 255),
    "login_using_email": Boolean(),
}


class InvalidChangeError(Exception):
    """A change that breaks rules.

    errors: by field a list of messages; for attributes also messages by attribute.
    """

    def __init__(self, errors: dict[str, Errors]) -> None:
        super().__init__(errors)
        self.errors = errors


class SuperusersNotLockedError(Exception):
    """A superuser is to be made inactive, for which all superusers have to be locked first."""


def validate(
    user: AbstractUser,
    wanted: Mapping[str, Any],
    rules: Mapping[str, Rules],
    *,
    replace: bool = False,
    superusers: Collection[Any] | None = None,
    found: Mapping[str, Errors] | None = None,
) -> dict[str, Any]:
    """Return the fields of `user` that change, each with its new value.

    user: as stored and locked.
    wanted: JSON values by field; of attributes, an object.
    rules: those of the attributes, by field (`rules_by_field`).
    replace: whether an attribute object takes the place of the stored one, instead of being merged
        into it (RFC 7396).
    superusers: the ids of the superusers who may enter the admin site, locked
        (`UserManager.lock_superusers`); None where they are not.
    found: what the door itself has found wrong with `wanted`, to be reported with the rest.

    Raises `InvalidChangeError` with everything that is wrong, and `SuperusersNotLockedError`.
    """
    changes: dict[str, Any] = {}
    errors: dict[str, Errors] = dict(found or {})
    for field, value in wanted.items():
        if field in rules:
            value, error = _attributes(getattr(user, field), value, rules[field], replace=replace)
        elif field in FIELDS:
            value, error = _value(FIELDS[field], value)
        else:
            error = ["There is no such parameter."]
        if error:
            errors[field] = _joined(errors[field], error) if field in errors else error
        elif not values.same(getattr(user, field), value):
            changes[field] = value
    deactivates = changes.get("status") == AbstractUser.Status.INACTIVE
    if deactivates and user.is_superuser and user.is_staff:
        if superusers is None:
            raise SuperusersNotLockedError
        if {user.pk}.issuperset(superusers):
            errors["status"] = ["The last active superuser cannot be made inactive."]
    if errors:
        raise InvalidChangeError(errors)
    return changes


def save(user: AbstractUser, changes: Mapping[str, Any]) -> None:
    """Save `changes`, which `validate` has returned for the locked user, and nothing else.

    No change saves nothing.
    """
    if changes:
        user.locked_values = user.stored_values
        for field, value in changes.items():
            setattr(user, field, value)
        user.save(update_fields=changes)


def _value(type_: Type, value: object) -> tuple[Any, Errors]:
    if value is None:
        return value, ["Must not be null."]
    value = type_.cleaned(value)
    error = type_.error(value)
    return value, [error] if error else []


def _attributes(
    stored: values.Attributes, wanted: object, rules: Rules, *, replace: bool
) -> tuple[Any, Errors]:
    if wanted is None:
        return wanted, ["Must not be null."]
    if not isinstance(wanted, dict):
        return wanted, [f"Must be an object, not {values.json_type(wanted)}."]
    merged = wanted if replace else values.merge(stored, wanted)
    return merged, rules.validate(stored, merged)


def _joined(one: Errors, other: Errors) -> Errors:
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: [*one.get(key, ()), *other.get(key, ())] for key in {**one, **other}}
    return [*flat(one), *flat(other)]
