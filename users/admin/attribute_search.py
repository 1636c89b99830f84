"""Finds users by the values of their attributes, as an operator types them."""

import json
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import IContains

from users.db.json_conditions import JSONHolds
from users.models import AttributeDefinition, held_value
from users.names import fold_line

User: Any = get_user_model()


def holds_choice(definition: AttributeDefinition, choice: str) -> Q:
    """Return the condition that a user has a choice, or has it in a list."""
    field, name = definition.field, definition.name
    is_list = definition.type == AttributeDefinition.Type.MULTIPLE_CHOICE
    return Q(JSONHolds(field, name, "contains" if is_list else "eq", [choice]))


def attribute_contains(definition: AttributeDefinition, text: str) -> IContains:
    """Return the condition that the value of an attribute contains `text`, in any case."""
    is_escaped = connections[User._default_manager.db].vendor == "mysql"
    as_stored = json.dumps(text, ensure_ascii=is_escaped)[1:-1]
    return IContains(Cast(held_value(definition), TextField()), as_stored)


def attributes_match(definitions: list[AttributeDefinition], text: str) -> Q:
    """Return the condition that a choice of a user's, or a text attribute, contains `text`."""
    found, folded = Q(), fold_line(text)
    for definition in definitions:
        if definition.type == AttributeDefinition.Type.TEXT:
            found |= Q(attribute_contains(definition, text))
        for choice in definition.choices:
            if folded in fold_line(choice):
                found |= holds_choice(definition, choice)
    return found
