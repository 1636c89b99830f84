"""Fields of the API's serializers."""

from datetime import UTC, datetime

from django.utils import timezone
from rest_framework import serializers

from users.attributes.types import Type


class TypedField(serializers.Field):
    """A parameter that takes the JSON values of `type`, and no others."""

    def __init__(self, type_: Type) -> None:
        super().__init__(required=False)
        self.type = type_


class AttributesField(serializers.Field):
    """A parameter that takes a JSON object of attributes, as the definitions allow."""

    def __init__(self) -> None:
        super().__init__(required=False)


class DateTimeField(serializers.Field):
    """A moment in UTC: ISO 8601 with `Z`, whatever the host's time zone and format settings."""

    def to_representation(self, value: datetime) -> str:
        if timezone.is_naive(value):  # where the host has USE_TZ off
            value = timezone.make_aware(value)
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
