"""The addresses of the list of users, filtered (see `users.admin.user_filters`)."""

from typing import Any
from urllib.parse import urlencode

from users.admin.attribute_fields import definition_field_name
from users.models import AttributeDefinition


def filtered(url: str, **filters: Any) -> str:
    """Return the address of the list at `url` with `filters`, by the names of its parameters."""
    return f"{url}?{urlencode(filters)}"


def skill_link(url: str, definition: AttributeDefinition, **others: Any) -> str:
    """Return the address of the users who have a skill: any value, or yes if that is one."""
    name = definition_field_name(definition)
    if definition.type == AttributeDefinition.Type.BOOLEAN:
        return filtered(url, **{name: "1"}, **others)
    return filtered(url, **{f"{name}__isnull": "False"}, **others)


def holders_link(url: str, definition: AttributeDefinition, choice: str, **others: Any) -> str:
    """Return the address of the users who have `choice`, or have it in their list."""
    return filtered(url, **{definition_field_name(definition): choice}, **others)
