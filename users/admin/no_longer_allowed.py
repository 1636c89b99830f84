"""Finds users with stored values that the definitions no longer allow."""

import sys
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.lookups import In

from users.attributes.types import type_of
from users.db.entries import count_entries
from users.db.functions import JSONType
from users.db.json_conditions import JSONHolds
from users.models import AttributeDefinition, held_value

User: Any = get_user_model()
Type = AttributeDefinition.Type

_MAX_LISTS = 500  # in a condition


def no_longer_allowed(definition: AttributeDefinition) -> Q:
    """Return the condition that a user's value has another type than `definition`, or a choice
    that is not in it."""
    field, name = definition.field, definition.name
    if definition.type == Type.MULTIPLE_CHOICE:
        return _refused_lists(definition)
    if definition.type == Type.NUMBER:
        allowed: Any = JSONHolds(field, name, "gte", [-sys.float_info.max])
    elif definition.type == Type.BOOLEAN:
        allowed = JSONHolds(field, name, "in", [True, False])
    elif definition.type == Type.CHOICE:
        allowed = JSONHolds(field, name, "in", definition.choices)
    else:
        # What databases call a string of JSON.
        allowed = In(JSONType(held_value(definition)), ["string", "text"])
    return Q(JSONHolds(field, name, "exists")) & ~Q(allowed)


def _refused_lists(definition: AttributeDefinition) -> Q:
    """Return the condition that a user has one of the stored values that are not allowed."""
    type_, name = type_of(definition), definition.name
    stored = count_entries(User._default_manager.all(), definition.field, [name])
    refused = [value for key, value, _ in stored if key == name and type_.error(value)]
    if not refused:
        return Q(pk__in=[])
    return Q(JSONHolds(definition.field, name, "in", refused[:_MAX_LISTS]))


def holds_undefined(definitions: Iterable[AttributeDefinition]) -> Q:
    """Return the condition that a user has a custom attribute that nobody defines any more."""
    field = "custom_attributes"
    defined = {definition.name for definition in definitions if definition.field == field}
    stored = {key for key, _, _ in count_entries(User._default_manager.all(), field, [])}
    found = Q(pk__in=[])
    for key in sorted(stored - defined)[:_MAX_LISTS]:
        found |= Q(JSONHolds(field, key, "exists"))
    return found
