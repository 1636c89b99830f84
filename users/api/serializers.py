"""The call's parameters in, strictly judged; the user out."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from users import attributes
from users.api import status_codes
from users.api.body import JSONObject, repeated_members
from users.api.envelope import ApiError
from users.attributes import json_type
from users.models import AbstractUser, AttributeDefinition, DefinitionRow
from users.models.users import judge_attributes


class StrictField(serializers.Field):
    """A parameter that is taken only as the JSON type that it is documented to have."""

    default_error_messages = {"null": "Must not be null."}


class TextField(StrictField):
    """A JSON string, trimmed of white space, then of `min_length` to `max_length` code points."""

    def __init__(self, *, min_length: int = 0, max_length: int) -> None:
        super().__init__()
        self.min_length = min_length
        self.max_length = max_length

    def to_internal_value(self, data: object) -> str:
        if sentence := attributes.string_error(data):
            raise serializers.ValidationError(sentence)
        text = str(data).strip()
        if sentence := attributes.length_error(text, self.min_length, self.max_length):
            raise serializers.ValidationError(sentence)
        return text


class EnumField(StrictField):
    """A JSON string that is exactly one of `choices`."""

    def __init__(self, *, choices: list[str]) -> None:
        super().__init__()
        self.choices = choices

    def to_internal_value(self, data: object) -> str:
        if sentence := attributes.choice_error(data, self.choices):
            raise serializers.ValidationError(sentence)
        return str(data)


class BooleanField(StrictField):
    """A JSON boolean."""

    def to_internal_value(self, data: object) -> bool:
        if sentence := attributes.boolean_error(data):
            raise serializers.ValidationError(sentence)
        return bool(data)


class AttributesField(StrictField):
    """A JSON object of attributes: merged into the stored one by PATCH, put in its place by PUT."""

    def __init__(self, *, kind: AttributeDefinition.Kind) -> None:
        super().__init__()
        self.kind = kind

    def to_internal_value(self, data: object) -> attributes.Attributes:
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"Must be an object, not {json_type(data)}.")
        return data


class UserUpdateSerializer(serializers.Serializer[AbstractUser]):
    """The parameters of the call.

    It keeps nothing of a request, so that one serves all of them: to make one for each, with copies
    of its fields, took longer than to judge the body.
    """

    first_name = TextField(min_length=1, max_length=150)
    last_name = TextField(max_length=150)
    status = EnumField(choices=AbstractUser.Status.values)
    job_description = TextField(max_length=255)
    login_using_email = BooleanField()
    custom_attributes = AttributesField(kind=AttributeDefinition.Kind.CUSTOM)
    skill_attributes = AttributesField(kind=AttributeDefinition.Kind.SKILL)

    def changes(
        self,
        user: AbstractUser,
        definitions: Sequence[DefinitionRow],
        data: JSONObject,
        *,
        replace: bool,
        is_last_superuser: Callable[[], bool],
    ) -> dict[str, Any]:
        """Return the fields of `user` whose value is to be another, with that value.

        user: as stored and locked.
        definitions: all attribute definitions.
        data: the request's JSON object.
        replace: whether an attribute object that is named takes the stored one's place.
        is_last_superuser: whether no other superuser may enter the admin site; asked only where
            `user` is one and is to be made inactive.

        Raises `ValidationError`, or `ApiError` where a member is repeated, with all that is wrong.
        """
        changes: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for name, value in data.items():
            field = self.fields.get(name)
            if field is None:
                errors[name] = ["There is no such parameter."]
                continue
            stored = getattr(user, name)
            try:
                wanted = field.run_validation(value)
            except serializers.ValidationError as error:
                errors[name] = error.detail
                continue
            if isinstance(field, AttributesField):
                wanted = wanted if replace else attributes.merge(stored, wanted)
                if found := judge_attributes(stored, wanted, field.kind, definitions):
                    errors[name] = found
            if not attributes.same(stored, wanted):
                changes[name] = wanted
        deactivates = changes.get("status") == AbstractUser.Status.INACTIVE
        if deactivates and user.is_superuser and user.is_staff and is_last_superuser():
            errors["status"] = ["The last active superuser cannot be made inactive."]
        if repeated := repeated_members(data):
            # Not a `ValidationError`, whose code would depend on which attributes it names.
            raise ApiError(status_codes.INVALID_REQUEST, _combined(errors, repeated))
        if errors:
            raise serializers.ValidationError(errors)
        return changes


def _combined(errors: dict[str, Any], repeated: dict[str, Any]) -> dict[str, Any]:
    """Return both sets of errors, by parameter."""
    combined = {**repeated, **errors}
    for parameter in errors.keys() & repeated.keys():
        one, other = repeated[parameter], errors[parameter]
        if isinstance(one, dict) and isinstance(other, dict):
            names = {**one, **other}
            combined[parameter] = {n: [*one.get(n, ()), *other.get(n, ())] for n in names}
        else:
            combined[parameter] = [*attributes.flat(one), *attributes.flat(other)]
    return combined


class DateTimeField(serializers.Field):
    """A moment in UTC: ISO 8601 with `Z`, whatever the host's time zone and format settings."""

    def to_representation(self, value: datetime) -> str:
        if timezone.is_naive(value):  # where the host has USE_TZ off
            value = timezone.make_aware(value)
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
