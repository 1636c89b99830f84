"""Serializers: the parameters of a call, and the user in a response."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from rest_framework import serializers

from users import changes
from users.api import status_codes
from users.api.body import Parameters
from users.api.envelope import ApiError, invalid_code
from users.api.fields import AttributesField, DateTimeField, TypedField
from users.attributes.rules import KINDS, Rules
from users.models import AbstractUser, Change


class UserUpdateSerializer(serializers.Serializer[AbstractUser]):
    """The parameters of an update, which `users.changes` defines and validates.

    It has no state, so that one instance serves all requests: DRF copies all fields for each new
    instance, which takes longer than validating the body.
    """

    def get_fields(self) -> dict[str, serializers.Field]:
        plain = {name: TypedField(type_) for name, type_ in changes.FIELDS.items()}
        return {**plain, **{name: AttributesField() for name in KINDS}}

    def changes(
        self,
        user: AbstractUser,
        parameters: Parameters,
        rules: Mapping[str, Rules],
        *,
        replace: bool,
        superusers: Collection[Any] | None,
    ) -> dict[str, Any]:
        """Return the fields of `user` that change, with their new values.

        parameters: from the body. For the other arguments see `users.changes.validate`.

        Raises `ApiError` with all errors.
        """
        try:
            return changes.validate(
                user,
                parameters,
                rules,
                replace=replace,
                superusers=superusers,
                found=parameters.errors,
            )
        except changes.InvalidChangeError as error:
            raise invalid(parameters, error.errors) from error


def invalid(parameters: Parameters, errors: Mapping[str, Any]) -> ApiError:
    """Return the exception for errors in the parameters of an update or a creation."""
    # A repeated member is always 3115, even if it is a custom attribute.
    code = status_codes.INVALID_REQUEST if parameters.errors else invalid_code(errors)
    return ApiError(code, errors)


class UserSerializer(serializers.Serializer[AbstractUser]):
    """The user, as in the documented response, plus `custom_attributes`."""

    id = serializers.ReadOnlyField()
    created_at = DateTimeField()
    updated_at = DateTimeField()
    first_name = serializers.ReadOnlyField()
    last_name = serializers.ReadOnlyField()
    login_id = serializers.ReadOnlyField()
    email_id = serializers.ReadOnlyField()
    status = serializers.ReadOnlyField()
    logged_in = serializers.ReadOnlyField()
    job_description = serializers.ReadOnlyField()
    login_using_email = serializers.ReadOnlyField()
    role_type = serializers.ReadOnlyField()
    accepting_chats = serializers.ReadOnlyField()
    skill_attributes = serializers.ReadOnlyField()
    active_chats = serializers.ReadOnlyField()
    custom_attributes = serializers.ReadOnlyField()

    def to_representation(self, instance: AbstractUser) -> dict[str, Any]:
        """Read each member from the attribute of its name; `source` is not supported."""
        return {
            name: field.to_representation(getattr(instance, name))
            for name, field in self.fields.fields.items()
        }


_AT = DateTimeField()


def change_representation(change: Change, granted: Collection[int]) -> dict[str, Any]:
    """Return a change, as `users.feed.visible` has it, as the API shows it.

    granted: the ids of the teams that the caller may act for; memberships in others are left out.
    """
    by: dict[str, Any] | None = None
    if change.by_type:
        is_named = change.by_type == Change.ByType.USER or cast("Any", change).by_name_visible
        name = change.by_name if is_named and change.by_name else None
        by = {"type": change.by_type, "id": change.by_id, "name": name}
    return {
        "id": change.pk,
        "at": _AT.to_representation(change.at),
        "user": change.user_id,
        "login_id": change.login_id,
        "action": change.action,
        "door": change.door,
        "by": by,
        "trxid": change.trxid or None,
        "before": _granted_values(change.before, granted),
        "after": _granted_values(change.after, granted),
    }


def _granted_values(values: dict[str, Any], granted: Collection[int]) -> dict[str, Any]:
    if not values.get("memberships"):
        return values
    memberships = values["memberships"]
    shown = {team: role for team, role in memberships.items() if int(team) in granted}
    others = {name: value for name, value in values.items() if name != "memberships"}
    return {**others, "memberships": shown} if shown else others
