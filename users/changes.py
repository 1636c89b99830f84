"""Changing a user: validate a change against the locked row, then save it.

The API, the admin site's form and its bulk actions all use it. They format the errors, but repeat
no rule.
"""

from collections.abc import Collection, Mapping
from typing import Any

from users.attributes import values
from users.attributes.rules import Errors, Rules, joined
from users.attributes.types import Boolean, Choice, TrimmedText, Type
from users.models import AbstractUser

#: The fields that can be changed besides the attributes, with their types. A new one is a field of
#: the model too (`models/users.py` and a migration), of the admin form (`fieldsets` in
#: `admin/users.py`) and of the response (`api/serializers.py`, `api/openapi/user.py`).
FIELDS: Mapping[str, Type] = {
    "first_name": TrimmedText(1, 150),
    "last_name": TrimmedText(0, 150),
    "status": Choice(AbstractUser.Status.values),
    "job_description": TrimmedText(0, 255),
    "login_using_email": Boolean(),
}


class InvalidChangeError(Exception):
    """The change is invalid.

    errors: lists of messages by field; for attributes, also by attribute.
    """

    def __init__(self, errors: dict[str, Errors]) -> None:
        super().__init__(errors)
        self.errors = errors


class SuperusersNotLockedError(Exception):
    """The change deactivates a superuser, which requires that all superusers are locked."""


def validate(
    user: AbstractUser,
    wanted: Mapping[str, Any],
    rules: Mapping[str, Rules],
    *,
    replace: bool = False,
    superusers: Collection[Any] | None = None,
    found: Mapping[str, Errors] | None = None,
) -> dict[str, Any]:
    """Return the fields of `user` that change, with their new values.

    user: read from the database and locked.
    wanted: JSON values by field; for attributes, an object.
    rules: the rules for attributes by field (`rules_by_field`).
    replace: if True, an attribute object replaces the stored one instead of being merged into it
        (RFC 7396).
    superusers: the ids of the active superusers, if locked (`UserManager.lock_superusers`).
    found: errors that the caller has found already, to be reported with the others.

    Raises `InvalidChangeError` with all errors, and `SuperusersNotLockedError`.
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
            errors[field] = joined(errors[field], error) if field in errors else error
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
    """Save the fields in `changes`, as `validate` returned them for the locked user."""
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
