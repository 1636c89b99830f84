"""Filters: from their text to a condition of a queryset (RFC 7644, section 3.4.2.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db import connections
from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Left, Right, StrIndex
from django.db.models.lookups import Contains, EndsWith, Exact, GreaterThan, StartsWith
from django.utils import timezone
from scim2_models import InvalidFilterException, SCIMException, ScimFilter
from scim2_models.path import (
    AttrPath,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from users.attributes.values import string_error
from users.db.keys import NO_ROW, row_id
from users.models import AbstractUser, Membership
from users.names import fold, fold_line
from users.scim.schemas import read_boolean
from users.search import Moment

MAX_LENGTH = 4096
MAX_COMPARISONS = 100

_TEXT: Mapping[str, Any] = {"co": Contains, "sw": StartsWith, "ew": EndsWith}
_ALL, _NONE = ~Q(pk__in=()), Q(pk__in=())


def invalid(message: str) -> SCIMException:
    return InvalidFilterException(detail=message)


class Attribute(Protocol):
    """What a filter can name."""

    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        """Return the condition; None: there is no such operator here. Raises `SCIMException`."""

    def present(self) -> Q | None:
        """Return the condition that there is a value; None: it cannot be asked."""


def _text(operand: object) -> str:
    if error := string_error(operand):
        raise invalid(f"An operand is wrong: {error}")
    return str(operand)


@dataclass(frozen=True)
class Folded:
    """A text that a folded field stands for: case does not matter."""

    field: str

    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        text = _text(operand)
        match operator:
            case "eq":
                return Q(**{self.field: fold(text)})
            case "ne":
                return ~Q(**{self.field: fold(text)})
            case "co" | "sw" | "ew":
                lookup = {"co": "contains", "sw": "startswith", "ew": "endswith"}[operator]
                return Q(**{f"{self.field}__{lookup}": fold_line(text)})
        return None

    def present(self) -> Q | None:
        return ~Q(**{self.field: ""})


@dataclass(frozen=True)
class AnyCase:
    """A text of which case does not matter, as the database has it."""

    field: str

    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        text = _text(operand)
        pattern = {"eq": "^{}$", "ne": "^{}$", "co": "{}", "sw": "^{}", "ew": "{}$"}
        lookup = {"eq": "iexact", "ne": "iexact", "co": "icontains"}
        lookup |= {"sw": "istartswith", "ew": "iendswith"}
        if operator not in lookup:
            return None
        if connections[using].vendor == "sqlite":  # whose LIKE knows the case of ASCII alone
            expression = pattern[operator].replace("$", r"\Z").format(re.escape(text))
            found = Q(**{f"{self.field}__iregex": expression})
        else:
            found = Q(**{f"{self.field}__{lookup[operator]}": text})
        return ~found if operator == "ne" else found

    def present(self) -> Q | None:
        return ~Q(**{self.field: ""})


@dataclass(frozen=True)
class ExactText:
    """A text of which case matters, in every database."""

    field: str

    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        text = _text(operand)
        column, value = F(self.field), Value(text)
        match operator:
            case "eq":
                return Q(**{self.field: text})
            case "ne":
                return ~Q(**{self.field: text})
            case "co":
                return Q(GreaterThan(StrIndex(column, value), 0)) if text else _ALL
            case "sw":
                return Q(Exact(Left(column, len(text)), value)) if text else _ALL
            case "ew":
                return Q(Exact(Right(column, len(text)), value)) if text else _ALL
        return None

    def present(self) -> Q | None:
        return ~Q(**{self.field: ""})


class Key:
    """The id."""

    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        text = _text(operand)
        if operator in ("eq", "ne"):
            found = Q(pk=key_of(text))
            return ~found if operator == "ne" else found
        if lookup := _TEXT.get(operator):
            return Q(lookup(Cast(F("pk"), CharField(max_length=20)), text))
        return None

    def present(self) -> Q | None:
        return _ALL


class Active:
    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        try:
            active = read_boolean(operand)
        except ValueError as error:
            raise invalid("active is true or false") from error
        found = Q(status=AbstractUser.Status.ACTIVE)
        if operator not in ("eq", "ne"):
            return None
        return found if active is (operator == "eq") else ~found

    def present(self) -> Q | None:
        return _ALL


@dataclass(frozen=True)
class Constant:
    """What is the same for every user: the type of the email, and that it is the primary one."""

    value: object

    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        if operator not in ("eq", "ne"):
            return None
        if isinstance(self.value, bool):
            try:
                operand = read_boolean(operand)
            except ValueError as error:
                raise invalid("primary is true or false") from error
        else:
            operand = _text(operand).lower()
        return _ALL if (operand == self.value) is (operator == "eq") else _NONE

    def present(self) -> Q | None:
        return None


@dataclass(frozen=True)
class Time:
    field: str

    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        moment = Moment().cleaned(operand)
        if error := Moment().error(moment):
            raise invalid(f"An operand is wrong: {error}")
        if not settings.USE_TZ:
            moment = timezone.make_naive(moment)
        match operator:
            case "eq":
                return Q(**{self.field: moment})
            case "ne":
                return ~Q(**{self.field: moment})
            case "gt" | "lt":
                return Q(**{f"{self.field}__{operator}": moment})
            case "ge" | "le":
                return Q(**{f"{self.field}__{operator[0]}te": moment})
        return None

    def present(self) -> Q | None:
        return _ALL


class Members:
    def compare(self, operator: str, operand: Any, using: str) -> Q | None:
        if operator != "eq":
            return None
        memberships = Membership.objects.filter(team=OuterRef("pk"), user=key_of(_text(operand)))
        return Q(Exists(memberships))

    def present(self) -> Q | None:
        return None


_EMAIL = Folded("email_key")

USERS: Mapping[str, Attribute] = {
    "id": Key(),
    "externalid": ExactText("external_id"),
    "username": Folded("login_key"),
    "emails": _EMAIL,
    "emails.value": _EMAIL,
    "emails.type": Constant("work"),
    "emails.primary": Constant(True),
    "active": Active(),
    "name.givenname": AnyCase("first_name"),
    "name.familyname": AnyCase("last_name"),
    "title": AnyCase("job_description"),
    "meta.created": Time("created_at"),
    "meta.lastmodified": Time("updated_at"),
}

GROUPS: Mapping[str, Attribute] = {
    "id": Key(),
    "externalid": ExactText("external_id"),
    "displayname": Folded("name_key"),
    "members": Members(),
    "members.value": Members(),
}


def key_of(text: str) -> int:
    """Return the primary key that an id stands for, `NO_ROW` if it can be none."""
    key = row_id(text)
    return key if str(key) == text else NO_ROW


class Filter(FilterVisitor[Q]):
    """Filters of one type of resources.

    schema: its URN, which may stand before the names.
    attributes: what can be named, in lower case.
    """

    def __init__(self, schema: str, attributes: Mapping[str, Attribute], using: str) -> None:
        self.schema = schema
        self.attributes = attributes
        self.using = using
        self.inside = ""  # the attribute whose values a filter in brackets selects
        self.comparisons = 0

    def condition(self, text: object) -> Q:
        """Return the condition that `text` stands for. Raises `SCIMException`."""
        if not isinstance(text, str) or len(text) > MAX_LENGTH:
            raise invalid(f"A filter is a text of at most {MAX_LENGTH} characters")
        if message := string_error(text):
            raise invalid(f"The filter is wrong: {message}")
        return self.visit(ScimFilter(text).ast)  # which refuses what is nested deeply

    def visit_comparison(self, node: Comparison) -> Q:
        attribute = self._attribute(node.attr_path)
        operator = node.op.value
        if node.value is None and operator in ("eq", "ne"):
            present = attribute.present()
            found = present and (~present if operator == "eq" else present)
        else:
            found = attribute.compare(operator, node.value, self.using)
        if found is None:
            raise invalid(f"'{node.attr_path}' is not compared by '{operator}'")
        return found

    def visit_present(self, node: Present) -> Q:
        if (found := self._attribute(node.attr_path).present()) is None:
            raise invalid(f"'{node.attr_path}' is not compared by 'pr'")
        return found

    def visit_not(self, node: Not) -> Q:
        return ~self.visit(node.expr)

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        terms = [self.visit(term) for term in node.terms]
        return Q(*terms, _connector=Q.AND if node.op == LogicalOperator.and_ else Q.OR)

    def visit_value_path(self, node: ValuePath) -> Q:
        name = self._name(node.attr_path)
        if self.inside or name not in ("emails", "members") or name not in self.attributes:
            raise invalid(f"'{node.attr_path}' has no values to select")
        self.inside = f"{name}."
        found = self.visit(node.val_filter)
        self.inside = ""
        return found

    def _name(self, path: AttrPath) -> str:
        if path.uri and path.uri.lower() != self.schema.lower():
            raise invalid(f"There is no attribute '{path}' to filter by")
        name = f"{path.attr}.{path.sub_attr}" if path.sub_attr else path.attr
        return self.inside + name.lower()

    def _attribute(self, path: AttrPath) -> Attribute:
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise invalid(f"A filter has at most {MAX_COMPARISONS} comparisons")
        if attribute := self.attributes.get(self._name(path)):
            return attribute
        raise invalid(f"There is no attribute '{path}' to filter by")
