"""The parameters in, and the user out, as JSON values."""

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import serializers

from users import changes
from users.api import status_codes
from users.api.body import Parameters
from users.api.envelope import ApiError
from users.api.fields import AttributesField, DateTimeField, TypedField
from users.attributes.rules import KINDS, Rules
from users.models import AbstractUser


class UserUpdateSerializer(serializers.Serializer[AbstractUser]):
    """The parameters of an update: those of `users.changes`, which validates them.

    It keeps nothing of a request, so that one serves all of them: to make one for each, with copies
    of its fields, took longer than to validate the body.
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
        """Return the fields of `user` that change, each with its new value.

        parameters: of the request's body. The rest is as in `users.changes.validate`.

        Raises `ValidationError`, or `ApiError` where a member is repeated, with all that is wrong.
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
            if parameters.errors:
                # Not a `ValidationError`, whose code would depend on which attributes it names.
                raise ApiError(status_codes.INVALID_REQUEST, error.errors) from error
            raise serializers.ValidationError(error.errors) from error


class UserSerializer(serializers.Serializer[AbstractUser]):
    """The user, as the documented answer has it; `custom_attributes` is our addition."""

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
        """Return the members by name, each from the attribute of that name."""
        return {
            name: field.to_representation(getattr(instance, name))
            for name, field in self.fields.fields.items()
        }
