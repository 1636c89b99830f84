"""Changing and creating users: validate, then save.

A change is validated against the locked row. The API, the admin site's form and its bulk actions
all use it. They format the errors, but repeat no rule. Messages are in the active language
(`users.attributes.values`).
"""

from collections.abc import Collection, Iterable, Mapping
from secrets import token_urlsafe
from typing import Any

from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from users.attributes import values
from users.attributes.rules import Errors, Rules, joined
from users.attributes.types import Boolean, Choice, Integer, TrimmedText, Type
from users.db import batches
from users.identity import Email, LoginID, Password
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

#: The fields that are set when a user is created, and by other ways later.
NEW_FIELDS: Mapping[str, Type] = {
    "login_id": LoginID(),
    "email_id": Email(),
    "password": Password(),
    "active_chats": Integer(0, 2**31 - 1),  # what PostgreSQL's column holds
}
REQUIRED_FIELDS = ("first_name", "login_id", "email_id")


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
    fields: Mapping[str, Type] = FIELDS,
) -> dict[str, Any]:
    """Return the fields of `user` that change, with their new values.

    user: read from the database and locked.
    wanted: JSON values by field; for attributes, an object.
    rules: the rules for attributes by field (`rules_by_field`).
    replace: if True, an attribute object replaces the stored one instead of being merged into it
        (RFC 7396).
    superusers: the ids of the active superusers, if locked (`UserManager.lock_superusers`).
    found: errors that the caller has found already, to be reported with the others.
    fields: what the caller may change besides the attributes, with the types.

    Raises `InvalidChangeError` with all errors, and `SuperusersNotLockedError`.
    """
    changes: dict[str, Any] = {}
    errors: dict[str, Errors] = dict(found or {})
    for field, value in wanted.items():
        if field in rules:
            value, error = _attributes(getattr(user, field), value, rules[field], replace=replace)
        elif field in fields:
            value, error = _value(fields[field], value)
        else:
            error = [gettext("There is no such parameter.")]
        if error:
            _add(errors, field, error)
        elif not values.same(getattr(user, field), value):
            changes[field] = value
    deactivates = changes.get("status") == AbstractUser.Status.INACTIVE
    if deactivates and user.is_superuser and user.is_staff:
        if superusers is None:
            raise SuperusersNotLockedError
        if {user.pk}.issuperset(superusers):
            errors["status"] = [gettext("The last active superuser cannot be made inactive.")]
    if errors:
        raise InvalidChangeError(errors)
    return changes


def save(user: AbstractUser, changes: Mapping[str, Any]) -> None:
    """Save the fields in `changes`, as `validate` returned them for the locked user."""
    if changes:
        user.locked_values = user.stored_values
        _set(user, changes)
        user.save(update_fields=changes)


def save_many(changes: Iterable[tuple[AbstractUser, Mapping[str, Any]]], using: str) -> None:
    """Save the changes of many locked users, in one transaction on the database `using`.

    No user is there twice. Their lines of the history, and the end of sessions, take few statements
    for all; on PostgreSQL so do the UPDATEs, where nothing of the project's asks for each `save()`
    (`AbstractUser.is_saved_plainly`).
    """
    model: Any = get_user_model()
    with batches.batch(using, holds_updates=model.is_saved_plainly()):
        for user, changed in changes:
            save(user, changed)


def preview(user: AbstractUser, changes: Mapping[str, Any]) -> None:
    """Set the fields in `changes` as `save` does, and save nothing."""
    _set(user, changes)
    if not user.is_active:
        user.accepting_chats = False


@sensitive_variables()
def new_user(
    wanted: Mapping[str, Any],
    rules: Mapping[str, Rules],
    *,
    found: Mapping[str, Errors] | None = None,
    fields: Mapping[str, Type] = {**FIELDS, **NEW_FIELDS},
) -> AbstractUser:
    """Return a new Customer Care user that is valid, with its password hashed, and not yet saved.

    Call it outside of a transaction, which hashing would prolong. For the arguments see `validate`;
    without a password, the user has none, and cannot log in.

    Raises `InvalidChangeError` with all errors. Names that are taken are none of them: `create`
    finds out.
    """
    errors: dict[str, Errors] = dict(found or {})
    cleaned: dict[str, Any] = {}
    for field in REQUIRED_FIELDS:
        if field not in wanted and field not in errors:
            errors[field] = [gettext("This parameter is required.")]
    for field, value in wanted.items():
        if field in rules:
            value, error = _attributes({}, value, rules[field], replace=True)
        elif field in fields:
            value, error = _value(fields[field], value)
        else:
            error = [gettext("There is no such parameter.")]
        if error:
            _add(errors, field, error)
        else:
            cleaned[field] = value
    password = cleaned.pop("password", None)
    user: AbstractUser = get_user_model()(**cleaned)
    if password is not None and (error := _password_errors(password, user)):
        _add(errors, "password", error)
    if errors:
        raise InvalidChangeError(errors)
    if password is None:
        # As `set_unusable_password()` makes one, whose random text takes a tenth of an import.
        user.password = UNUSABLE_PASSWORD_PREFIX + token_urlsafe(30)
    else:
        user.set_password(password)
    return user


def create(user: AbstractUser, roles: Mapping[int, str], using: str) -> None:
    """Save a user from `new_user` as a member of teams: one line of the history.

    roles: the user's roles by team id.

    Raises `IntegrityError`. Of two that take a name at one moment, the database refuses one:
    roll back, then ask `taken_names`.
    """
    user.first_roles = roles
    user._logged_in = False  # type: ignore[attr-defined]  # known without a query
    user.save(force_insert=True, using=using)


def create_many(new: Iterable[tuple[AbstractUser, Mapping[int, str]]], using: str) -> None:
    """Save many users from `new_user`, each with its roles by team id, by a few statements.

    Call it in a transaction. Raises `IntegrityError`, as `create` does.
    """
    users = []
    for user, roles in new:
        user.first_roles = roles
        users.append(user)
    manager: Any = get_user_model().objects
    manager.db_manager(using).bulk_create(users)


def taken_names(user: AbstractUser, using: str) -> dict[str, Errors]:
    """Return an error for each name of `user`, who could not be saved, that another user has."""
    users = get_user_model()._base_manager.using(using).exclude(pk=user.pk)
    others = users.filter(Q(login_key=user.login_key) | Q(email_key=user.email_key))
    taken = list(others.values_list("login_key", "email_key"))
    errors: dict[str, Errors] = {}
    if user.login_key in [login_key for login_key, _ in taken]:
        errors["login_id"] = [gettext("A user with this login id already exists.")]
    if user.email_key in [email_key for _, email_key in taken]:
        errors["email_id"] = [gettext("A user with this email already exists.")]
    return errors


def _set(user: AbstractUser, changes: Mapping[str, Any]) -> None:
    for field, value in changes.items():
        setattr(user, field, value)


@sensitive_variables()
def _password_errors(password: str, user: Any) -> list[str]:
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        return list(error.messages)
    return []


def _add(errors: dict[str, Errors], field: str, error: Errors) -> None:
    errors[field] = joined(errors[field], error) if field in errors else error


def _value(type_: Type, value: object) -> tuple[Any, Errors]:
    if value is None:
        return value, [gettext("Must not be null.")]
    value = type_.cleaned(value)
    error = type_.error(value)
    return value, [error] if error else []


def _attributes(
    stored: values.Attributes, wanted: object, rules: Rules, *, replace: bool
) -> tuple[Any, Errors]:
    if wanted is None:
        return wanted, [gettext("Must not be null.")]
    if not isinstance(wanted, dict):
        return wanted, [gettext("Must be an object, not %s.") % values.json_type(wanted)]
    merged = wanted if replace else values.merge(stored, wanted)
    return merged, rules.validate(stored, merged)
