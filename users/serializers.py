"""The call's parameters in, strictly judged; the user out."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

from django.utils import timezone
from rest_framework import serializers

from users import attributes, status_codes
from users.attributes import json_type
from users.envelope import ApiError
from users.models import (
    AbstractUser,
    AttributeDefinition,
    AttributeDefinitionQuerySet,
    judge_attributes,
)
from users.parsers import JSONObject, repeated_members


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
    """An attribute object: merged into the stored one by PATCH, put in its place by PUT.

    Its value is the whole object as it is to be stored.
    """

    def __init__(self, *, kind: AttributeDefinition.Kind) -> None:
        super().__init__()
        self.kind = kind

    def to_internal_value(self, data: object) -> attributes.Attributes:
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"Must be an object, not {json_type(data)}.")
        update = cast("UserUpdateSerializer", self.parent)
        stored = getattr(update.instance, cast("str", self.field_name))
        wanted = data if self.context["replace"] else attributes.merge(stored, data)
        errors = judge_attributes(stored, wanted, self.kind, update.definitions)
        if errors:
            raise serializers.ValidationError(errors)
        return wanted


class UserUpdateSerializer(serializers.Serializer[AbstractUser]):
    """The parameters of the call.

    instance: the user, as stored and locked.
    data: the request's JSON object.
    context: `replace`, whether an attribute object that is named takes the stored one's place.

    After `is_valid()`, `changes` holds what is to be written.
    """

    first_name = TextField(min_length=1, max_length=150)
    last_name = TextField(max_length=150)
    status = EnumField(choices=AbstractUser.Status.values)
    job_description = TextField(max_length=255)
    login_using_email = BooleanField()
    custom_attributes = AttributesField(kind=AttributeDefinition.Kind.CUSTOM)
    skill_attributes = AttributesField(kind=AttributeDefinition.Kind.SKILL)

    @cached_property
    def definitions(self) -> AttributeDefinitionQuerySet:
        """The attribute definitions: one query, and only where they are needed."""
        return AttributeDefinition.objects.all()

    @property
    def changes(self) -> dict[str, Any]:
        """The parameters whose value is not the stored one."""
        return {
            name: value
            for name, value in self.validated_data.items()
            if not attributes.same(getattr(self.instance, name), value)
        }

    def to_internal_value(self, data: JSONObject) -> dict[str, Any]:
        errors: dict[str, Any] = {
            name: ["There is no such parameter."] for name in data if name not in self.fields
        }
        values = {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors |= cast("dict[str, Any]", error.detail)
        if repeated := repeated_members(data):
            # Not a `ValidationError`, whose code would depend on which attributes it names.
            raise ApiError(status_codes.INVALID_REQUEST, _combined(errors, repeated))
        if errors:
            raise serializers.ValidationError(errors)
        return values


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
