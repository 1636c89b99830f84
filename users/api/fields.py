"""Serializer fields."""

from datetime import UTC, datetime

from django.utils import timezone
from rest_framework import serializers

from users.attributes.types import Type


class TypedField(serializers.Field):
    """A parameter that accepts only JSON values of one type."""

    def __init__(self, type_: Type) -> None:
        super().__init__(required=False)
        self.type = type_


class AttributesField(serializers.Field):
    """A parameter that accepts a JSON object of attributes, as their definitions allow."""

    def __init__(self) -> None:
        super().__init__(required=False)


class DateTimeField(serializers.Field):
    """A datetime in UTC, as ISO 8601 with `Z`, whatever the project's time zone and formats."""

    def to_representation(self, value: datetime) -> str:
        if timezone.is_naive(value):  # with USE_TZ off
            value = timezone.make_aware(value)
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
