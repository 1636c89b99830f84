"""Validators of model fields, besides Django's."""

from django.core.exceptions import ValidationError

from users.attributes import values


def validate_storable(value: object) -> None:
    """Raise `ValidationError` for text that some database refuses (U+0000, lone surrogates)."""
    if error := values.string_error(value):
        raise ValidationError(error)
