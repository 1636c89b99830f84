"""Finds users with stored values that the definitions no longer allow."""

import sys
from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q
from django.db.models.lookups import In

from users.db.functions import JSONType
from users.db.json_bounds import HasOtherKeys, IsListOf
from users.db.json_conditions import JSONHolds
from users.models import AttributeDefinition, held_value

Type = AttributeDefinition.Type


def no_longer_allowed(definition: AttributeDefinition) -> Q:
    """Return the condition that a user's value has another type than `definition`, or a choice
    that is not in it."""
    field, name = definition.field, definition.name
    if definition.type == Type.MULTIPLE_CHOICE:
        allowed: Any = IsListOf(held_value(definition), definition.choices)
    elif definition.type == Type.NUMBER:
        allowed = JSONHolds(field, name, "gte", [-sys.float_info.max])
    elif definition.type == Type.BOOLEAN:
        allowed = JSONHolds(field, name, "in", [True, False])
    elif definition.type == Type.CHOICE:
        allowed = JSONHolds(field, name, "in", definition.choices)
    else:
        # What databases call a string of JSON.
        allowed = In(JSONType(held_value(definition)), ["string", "text"])
    return Q(JSONHolds(field, name, "exists")) & ~Q(allowed)


def holds_undefined(definitions: Iterable[AttributeDefinition]) -> Q:
    """Return the condition that a user has a custom attribute that nobody defines any more."""
    field = "custom_attributes"
    names = [definition.name for definition in definitions if definition.field == field]
    return Q(HasOtherKeys(F(field), names))
