"""The addresses of the list of users, filtered."""

from typing import Any
from urllib.parse import urlencode

from users.admin.attribute_fields import definition_field_name
from users.models import AttributeDefinition


def filtered(url: str, **filters: Any) -> str:
    """Return the address of the list at `url` with `filters`, by the names of its parameters."""
    return f"{url}?{urlencode(filters)}"


def holders_link(url: str, definition: AttributeDefinition, choice: str, **others: Any) -> str:
    """Return the address of the users who have `choice`, or have it in their list."""
    return filtered(url, **{definition_field_name(definition): choice}, **others)
