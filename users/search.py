"""Conditions on users: what can be asked, checked, and turned into a filter of a queryset.

`PARAMETERS` is the one table of it. The list and search calls, their description in the OpenAPI
document, the admin site's filters and exports use it. They format the errors, but repeat no rule.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from users.attributes import types, values
from users.attributes.rules import KINDS, Errors, Rules
from users.attributes.types import Boolean, Choice, Integer, Schema, Text, Type
from users.db.json_conditions import COMPARISONS, JSONHolds
from users.models import AbstractUser, Membership, has_session
from users.names import fold, fold_line

#: How many conditions a search may have, and how many values one `in`.
MAX_CONDITIONS = 100
MAX_VALUES = 100

_ORDER = tuple(COMPARISONS)
_MAX = values.MAX_INTEGER
_LOOKUPS = {"eq": "exact"}  # the others are called as Django calls them


class Moment(Type):
    """A datetime in ISO 8601 with an offset. Cleaned, it is a `datetime`."""

    # The years that every database can compare, wherever its time zone is.
    _YEARS = range(1000, 9999)
    _FORMAT = re.compile(
        r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)", re.ASCII
    )

    def cleaned(self, value: Any) -> Any:
        """Return the moment in UTC, or `value` if it is none, for `error` to reject."""
        if not isinstance(value, str) or len(value) > 64 or not self._FORMAT.fullmatch(value):
            return value
        try:
            moment = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            return value
        return moment if moment.year in self._YEARS else value

    def error(self, value: object) -> str | None:
        if isinstance(value, datetime):
            return None
        if not isinstance(value, str):
            return f"Must be a string, not {values.json_type(value)}."
        return (
            "Must be a date and time in ISO 8601 with an offset, such as '2026-11-01T00:00:00Z', "
            f"of the years {self._YEARS.start} to {self._YEARS.stop - 1}."
        )

    def schema(self) -> Schema:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True)
class AnyCaseText(Text):
    """A text in any case, as it was asked for: folded, it may be longer than the type allows."""

    def error(self, value: object) -> str | None:
        if error := Text.error(self, value):
            return error
        return None if fold_line(str(value)) else "Must have a character that can be seen."


@dataclass(frozen=True)
class Parameter:
    """What a user can be searched by.

    type: of an operand, or of each value in that of `in`.
    field: the field of the user; empty where `Condition` has its own way.
    """

    type: Type
    operators: tuple[str, ...]
    field: str = ""


#: The parameters besides the attributes.
PARAMETERS: Mapping[str, Parameter] = {
    "id": Parameter(Integer(0, _MAX), ("eq", "in"), "id"),
    "login_id": Parameter(AnyCaseText(1, 150), ("eq", "in"), "login_key"),
    "email_id": Parameter(AnyCaseText(1, 254), ("eq", "in"), "email_key"),
    "text": Parameter(AnyCaseText(3, 150), ("contains",), "text_key"),
    "status": Parameter(Choice(AbstractUser.Status.values), ("eq", "in"), "status"),
    "role_type": Parameter(Choice(AbstractUser.RoleType.values), ("eq", "in"), "role_type"),
    "role": Parameter(Choice(Membership.Role.values), ("eq", "in")),
    "accepting_chats": Parameter(Boolean(), ("eq",), "accepting_chats"),
    "logged_in": Parameter(Boolean(), ("eq",)),
    "login_using_email": Parameter(Boolean(), ("eq",), "login_using_email"),
    "active_chats": Parameter(Integer(-_MAX, _MAX), ("eq", *_ORDER), "active_chats"),
    "created_at": Parameter(Moment(), ("eq", *_ORDER), "created_at"),
    "updated_at": Parameter(Moment(), ("eq", *_ORDER), "updated_at"),
}


@dataclass(frozen=True)
class Condition:
    """One condition that `parse` found to be valid.

    operand: cleaned; of `in`, a list.
    key: that of an attribute, where `parameter` is a field of them.
    """

    parameter: str
    operator: str
    operand: Any
    key: str = ""

    def filter(self, user: str, role: str) -> Q:
        """Return the condition as a filter; for the arguments see `matching`."""
        if self.parameter in KINDS:
            operands = self.operand if self.operator == "in" else [self.operand]
            held = Q(JSONHolds(user + self.parameter, self.key, self.operator, operands))
            return ~held if self.operator == "exists" and not self.operand else held
        if self.parameter == "logged_in":
            is_logged_in = Q(has_session(user)) & Q(**{f"{user}status": AbstractUser.Status.ACTIVE})
            return is_logged_in if self.operand else ~is_logged_in
        path = role if self.parameter == "role" else user + PARAMETERS[self.parameter].field
        operand = self.operand
        if self.parameter == "text":
            operand = fold_line(operand)
        elif self.parameter in ("login_id", "email_id"):
            operand = [fold(n) for n in operand] if self.operator == "in" else fold(operand)
        elif isinstance(operand, datetime) and not settings.USE_TZ:
            operand = timezone.make_naive(operand)
        return Q(**{f"{path}__{_LOOKUPS.get(self.operator, self.operator)}": operand})


class InvalidSearchError(Exception):
    """The conditions are invalid.

    errors: lists of messages by parameter; for attributes, also by attribute.
    """

    def __init__(self, errors: dict[str, Errors]) -> None:
        super().__init__(errors)
        self.errors = errors


def parse(wanted: Mapping[str, Any], rules: Mapping[str, Rules]) -> list[Condition]:
    """Return the conditions of a search.

    wanted: JSON values by operator by parameter; for attributes, a level deeper.
    rules: the rules for attributes by field (`rules_by_field`), if any attribute is asked for.

    Raises `InvalidSearchError` with all errors.
    """
    conditions: list[Condition] = []
    errors: dict[str, Errors] = {}
    for name, by_operator in wanted.items():
        error: Errors = []
        if name in KINDS:
            found, error = _attributes(name, by_operator, rules)
            conditions += found
        elif parameter := PARAMETERS.get(name):
            found, error = _conditions(name, by_operator, parameter)
            conditions += found
        else:
            allowed = ", ".join((*PARAMETERS, *KINDS))
            error = [f"There is no such parameter. There are: {allowed}."]
        if error:
            errors[name] = error
    if (count := _count(wanted)) > MAX_CONDITIONS:
        errors["body"] = [f"Must have at most {MAX_CONDITIONS} conditions, and has {count}."]
    if errors:
        raise InvalidSearchError(errors)
    return conditions


def matching(conditions: Sequence[Condition], user: str, role: str) -> Q:
    """Return the filter for all conditions, for a queryset of any model.

    user: the lookup of the user, such as `user__` from `Membership`, or empty from the user model.
    role: the lookup of the membership's role: `role`, or `memberships__role`.
    """
    return Q(*(condition.filter(user, role) for condition in conditions))


def operators_of(type_: Type) -> tuple[str, ...]:
    """Return the operators for an attribute of a type."""
    match type_:
        case types.Number():
            return ("eq", "in", "exists", *_ORDER)
        case types.MultipleChoice():
            return ("eq", "in", "exists", "contains")
        case types.Undefined():
            return ("eq", "in", "exists", "contains", *_ORDER)
    return ("eq", "in", "exists")


def operand_type(type_: Type, operator: str) -> Type:
    """Return the type of an operand, where it is another than that of the parameter."""
    match type_, operator:
        case _, "exists":
            return Boolean()
        case types.Undefined(), _ if operator in COMPARISONS:
            return types.Number()
        case types.MultipleChoice(choices=choices), "contains":
            return Choice(choices)
        case types.Undefined(), "contains":
            return types.Scalar()
    return type_


def _conditions(
    name: str, by_operator: Any, parameter: Parameter, key: str = ""
) -> tuple[list[Condition], list[str]]:
    """Return the conditions on one parameter or attribute, and the messages of errors."""
    allowed = ", ".join(parameter.operators)
    if not isinstance(by_operator, dict):
        found = values.json_type(by_operator)
        return [], [f"Must be an object of operators ({allowed}) and values, not {found}."]
    if not by_operator:
        return [], [f"Must have at least one operator: {allowed}."]
    conditions, errors = [], []
    for operator, operand in by_operator.items():
        if operator not in parameter.operators:
            errors.append(f"'{operator}': There is no such operator here. There are: {allowed}.")
            continue
        operand, error = _operand(operand_type(parameter.type, operator), operator, operand)
        if error:
            errors.append(f"'{operator}': {error}")
        conditions.append(Condition(name, operator, operand, key))
    return conditions, errors


def _operand(type_: Type, operator: str, operand: Any) -> tuple[Any, str | None]:
    if operator != "in":
        operand = type_.cleaned(operand)
        return operand, type_.error(operand)
    if not isinstance(operand, list):
        return operand, f"Must be a list of values, not {values.json_type(operand)}."
    if not 1 <= len(operand) <= MAX_VALUES:
        return operand, f"Must have 1 to {MAX_VALUES} values, and has {len(operand)}."
    operand = [type_.cleaned(value) for value in operand]
    for number, value in enumerate(operand, 1):
        if error := type_.error(value):
            return operand, f"Value {number}: {error}"
    return operand, None


def _attributes(
    name: str, by_key: Any, rules: Mapping[str, Rules]
) -> tuple[list[Condition], Errors]:
    if not isinstance(by_key, dict):
        return [], [f"Must be an object of attributes, not {values.json_type(by_key)}."]
    if not by_key:
        return [], ["Must name at least one attribute."]
    conditions: list[Condition] = []
    errors: dict[str, list[str]] = {}
    undefined = rules[name].undefined_errors()
    for key, by_operator in by_key.items():
        type_ = rules[name].type_of(key)
        if error := values.key_error(key):
            errors[key] = [error]
        elif type_ is None:
            errors[key] = [next(undefined)]
        else:
            parameter = Parameter(type_, operators_of(type_))
            found, errors_found = _conditions(name, by_operator, parameter, key)
            conditions += found
            if errors_found:
                errors[key] = errors_found
    return conditions, errors


def _count(wanted: Mapping[str, Any]) -> int:
    """Return how many conditions are asked for, valid or not."""
    asked = [value for name, value in wanted.items() if name not in KINDS]
    for field in KINDS:
        by_key = wanted.get(field)
        asked += by_key.values() if isinstance(by_key, dict) else ()
    return sum(len(by_operator) for by_operator in asked if isinstance(by_operator, dict))
