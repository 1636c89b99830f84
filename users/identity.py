"""What a user is known by: the types of the login id, the email and the password.

Every door that makes users cleans and checks them by these.
"""

from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from django.contrib.auth.base_user import BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext

from users.attributes.types import Schema, Text
from users.names import fold


@dataclass(frozen=True, slots=True)
class LoginID(Text):
    """A login id, as the admin's and Django's forms store one: trimmed, and normalized (NFKC)."""

    min_length: int = 1
    max_length: int = 150

    def cleaned(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        value = value.strip()
        # Not a longer text: normalizing takes time that grows with the square of the length.
        return normalize("NFKC", value).strip() if len(value) <= self.max_length else value

    def error(self, value: object) -> str | None:
        if error := Text.error(self, value):
            return error
        return None if fold(str(value)) else gettext("Must have a character that can be seen.")


@dataclass(frozen=True, slots=True)
class Email(Text):
    """An email address; its domain is stored in lower case."""

    min_length: int = 1
    max_length: int = 254

    def cleaned(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return BaseUserManager.normalize_email(value.strip())

    def error(self, value: object) -> str | None:
        if error := Text.error(self, value):
            return error
        try:
            validate_email(str(value))
        except ValidationError:
            return gettext("Must be an email address, such as 'asha@desk.example'.")
        return None

    def schema(self) -> Schema:
        return {"type": "string", "format": "email", "maxLength": self.max_length}


@dataclass(frozen=True, slots=True)
class Password(Text):
    """A password of a length that is quick to hash; validators of the project check the rest."""

    min_length: int = 1
    max_length: int = 4096

    def schema(self) -> Schema:
        return {**Text.schema(self), "format": "password", "writeOnly": True}
