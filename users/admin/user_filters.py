"""The filters of the list of users: drop-downs above it.

Each takes several values: of one filter any has to fit, and of several filters each. What a value
means is the search's (`users.search`). The parameters are called as Django calls them, so that
addresses stay if a project lists Django's own filter of a field.

They stand on no library: django-filter makes filters of fields in code, and those for the admin
site take one value of a foreign key each. Attributes are defined while the site runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.admin.attribute_fields import definition_field_name, request_definitions
from users.admin.attribute_search import attribute_contains, holds_choice
from users.admin.no_longer_allowed import holds_undefined, no_longer_allowed
from users.attributes import values
from users.attributes.form_fields import as_defined
from users.attributes.rules import rules_by_field
from users.db.json_conditions import JSONHolds
from users.db.keys import NO_ROW, row_id
from users.models import AbstractUser, AttributeDefinition, Membership, Team
from users.search import MAX_VALUES, InvalidSearchError, matching, parse

User: Any = get_user_model()
Type = AttributeDefinition.Type


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be ticked."""

    parameter: str
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Input:
    """A value that can be entered."""

    parameter: str
    label: str
    value: str


class UserFilter(admin.ListFilter):
    """A drop-down with options to tick, and inputs; the parameters it takes are in `given`."""

    is_drop_down = True  # for the template; those of a project are Django's lists of links
    parameters: Sequence[str] = ()

    def __init__(self, request: HttpRequest, params: dict[str, list[str]], *args: Any) -> None:
        super().__init__(request, params, *args)
        self.given: dict[str, list[str]] = {}
        for name in self.parameters:
            given = list(dict.fromkeys(value for value in params.pop(name, ()) if value))
            if len(given) > MAX_VALUES:
                raise IncorrectLookupParameters
            if given:
                self.given[name] = given

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> list[Any]:
        return []

    def expected_parameters(self) -> list[str]:
        return list(self.parameters)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.condition()) if self.given else queryset

    def condition(self) -> Any:
        """Return the condition that `given` stands for; `IncorrectLookupParameters` if none."""
        raise NotImplementedError

    @property
    def options(self) -> list[Option]:
        return [
            Option(name, value, label, value in self.given.get(name, ()))
            for name, value, label in self.choosable()
        ]

    def choosable(self) -> Iterator[tuple[str, str, str]]:
        """Yield what can be ticked: parameter, value and label."""
        yield from ()

    @property
    def inputs(self) -> list[Input]:
        return []

    @property
    def number_given(self) -> int:
        return sum(map(len, self.given.values()))

    def chips(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is filtered by: parameter, value, and what the page calls them."""
        labels = {(name, value): label for name, value, label in self.choosable()}
        for name, given in self.given.items():
            for value in given:
                yield name, value, f"{self.title}: {labels.get((name, value), value)}"


def searched(request: HttpRequest, **wanted: Any) -> Q:
    """Return a condition of the search (`users.search`)."""
    rules = rules_by_field(request_definitions(request))
    try:
        return matching(parse(wanted, rules), user="", role="memberships__role")
    except InvalidSearchError as error:
        raise IncorrectLookupParameters from error


class FieldFilter(UserFilter):
    """Some values of a field. asked: what the search calls it."""

    asked = ""
    labels: Sequence[tuple[str, Any]] = ()

    def choosable(self) -> Iterator[tuple[str, str, str]]:
        for value, label in self.labels:
            yield self.parameters[0], value, str(label)

    def condition(self) -> Any:
        [given] = self.given.values()
        return searched(self.request, **{self.asked: {"in": given}})


class StatusFilter(FieldFilter):
    title, asked, parameters = _("status"), "status", ("status__exact",)
    labels = AbstractUser.Status.choices


class RoleTypeFilter(FieldFilter):
    title, asked, parameters = _("role type"), "role_type", ("role_type__exact",)
    labels = AbstractUser.RoleType.choices


class YesNoFilter(FieldFilter):
    """A field that is true or false; Django's own filter has the same values."""

    labels = (("1", _("yes")), ("0", _("no")))

    def condition(self) -> Any:
        [given] = self.given.values()
        return any_of(searched(self.request, **{self.asked: {"eq": flag(text)}}) for text in given)


class LoggedInFilter(YesNoFilter):
    title, asked, parameters = _("logged in"), "logged_in", ("logged_in",)


class AcceptingChatsFilter(YesNoFilter):
    title, asked = _("accepting chats"), "accepting_chats"
    parameters = ("accepting_chats__exact",)


class TeamFilter(UserFilter):
    """Teams and roles: if both are given, a role in one of the teams."""

    title = _("team and role")
    parameters = ("teams__id__exact", "role", "teams__isnull")

    def choosable(self) -> Iterator[tuple[str, str, str]]:
        teams, role, none = self.parameters
        if not hasattr(self.request, "filter_teams"):
            self.request.filter_teams = list(Team.objects.values_list("pk", "name"))
        for value, label in Membership.Role.choices:
            yield role, value, str(label)
        yield none, "True", gettext("(in no team)")
        for key, name in self.request.filter_teams:
            yield teams, str(key), name

    def condition(self) -> Any:
        teams, role, none = (self.given.get(name, []) for name in self.parameters)
        if none not in ([], ["True"], ["False"]):
            raise IncorrectLookupParameters
        memberships = Membership.objects.filter(user=OuterRef("pk"))
        found = memberships
        if teams:
            keys = list(map(row_id, teams))
            if NO_ROW in keys:
                raise IncorrectLookupParameters
            found = found.filter(team__in=keys)
        if role:
            if not set(role) <= set(Membership.Role.values):
                raise IncorrectLookupParameters
            found = found.filter(role__in=role)
        conditions: list[Any] = [Q(Exists(found))] if teams or role else []
        if none == ["False"]:
            conditions.append(Q(Exists(memberships)))
        elif none:
            conditions.append(~Q(Exists(memberships)))
        return any_of(conditions)


class AttributeFilter(UserFilter):
    """The values of an attribute; `attribute_filter` makes a class for each definition."""

    definition: AttributeDefinition
    name = ""  # of its parameters, as far as they begin alike

    def choosable(self) -> Iterator[tuple[str, str, str]]:
        yield f"{self.name}__isnull", "True", gettext("(none)")

    def condition(self) -> Any:
        return any_of(self.conditions())

    def conditions(self) -> Iterator[Any]:
        if unset := self.given.get(f"{self.name}__isnull"):
            held = Q(JSONHolds(self.definition.field, self.definition.name, "exists"))
            yield from (~held if is_unset(text) else held for text in unset)

    def held(self, operator: str, operand: Any) -> Q:
        asked = {self.definition.field: {self.definition.name: {operator: operand}}}
        return searched(self.request, **asked)


class ChoicesFilter(AttributeFilter):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if given := self.given.get(self.name):
            choices = [(choice, choice) for choice in self.definition.choices]
            self.given[self.name] = [as_defined(text, choices) for text in given]

    def choosable(self) -> Iterator[tuple[str, str, str]]:
        # One that was taken from the definition, too, so that the next filter keeps it.
        for choice in dict.fromkeys([*self.definition.choices, *self.given.get(self.name, ())]):
            yield self.name, choice, self.definition.label(choice)
        yield from super().choosable()

    def conditions(self) -> Iterator[Any]:
        yield from super().conditions()
        for choice in self.given.get(self.name, ()):
            # One that was taken from the definition is found where it is still stored.
            if values.string_error(choice):
                raise IncorrectLookupParameters
            yield holds_choice(self.definition, choice)


class FlagFilter(AttributeFilter):
    def choosable(self) -> Iterator[tuple[str, str, str]]:
        yield self.name, "1", gettext("yes")
        yield self.name, "0", gettext("no")
        yield from super().choosable()

    def conditions(self) -> Iterator[Any]:
        yield from super().conditions()
        for text in self.given.get(self.name, ()):
            yield self.held("eq", flag(text))


class NumberFilter(AttributeFilter):
    @property
    def inputs(self) -> list[Input]:
        return [
            Input(f"{self.name}__gte", gettext("from"), self._given("gte")),
            Input(f"{self.name}__lte", gettext("to"), self._given("lte")),
        ]

    def _given(self, operator: str) -> str:
        return self.given.get(f"{self.name}__{operator}", [""])[-1]

    def conditions(self) -> Iterator[Any]:
        yield from super().conditions()
        asked = {name: number(text) for name in ("gte", "lte") if (text := self._given(name))}
        if asked:
            wanted = {self.definition.field: {self.definition.name: asked}}
            yield searched(self.request, **wanted)

    def chips(self) -> Iterator[tuple[str, str, str]]:
        signs = {f"{self.name}__gte": "≥", f"{self.name}__lte": "≤"}
        for name, value, text in super().chips():
            yield name, value, f"{self.title} {signs[name]} {value}" if name in signs else text


class TextFilter(AttributeFilter):
    @property
    def inputs(self) -> list[Input]:
        name = f"{self.name}__contains"
        return [Input(name, gettext("contains"), self.given.get(name, [""])[-1])]

    def conditions(self) -> Iterator[Any]:
        yield from super().conditions()
        for text in self.given.get(f"{self.name}__contains", ()):
            if values.string_error(text):
                raise IncorrectLookupParameters
            yield attribute_contains(self.definition, text)


class NoLongerAllowedFilter(UserFilter):
    """Stored values that the definitions no longer allow, of any attribute or of some."""

    title = _("no longer allowed")
    parameters = ("not_allowed",)
    ANY = "any"

    def choosable(self) -> Iterator[tuple[str, str, str]]:
        yield "not_allowed", self.ANY, gettext("any attribute")
        for definition in request_definitions(self.request):
            yield "not_allowed", definition_field_name(definition), definition.label()

    def condition(self) -> Any:
        definitions = {
            definition_field_name(each): each for each in request_definitions(self.request)
        }
        given = self.given["not_allowed"]
        if self.ANY in given:
            found = [no_longer_allowed(definition) for definition in definitions.values()]
            return any_of([*found, holds_undefined(definitions.values())])
        if not set(given) <= definitions.keys():
            raise IncorrectLookupParameters
        return any_of(no_longer_allowed(definitions[name]) for name in given)


_BY_TYPE: dict[str, tuple[type[AttributeFilter], Sequence[str]]] = {
    Type.CHOICE: (ChoicesFilter, ("",)),
    Type.MULTIPLE_CHOICE: (ChoicesFilter, ("",)),
    Type.BOOLEAN: (FlagFilter, ("",)),
    Type.NUMBER: (NumberFilter, ("__gte", "__lte")),
    Type.TEXT: (TextFilter, ("__contains",)),
}


def attribute_filter(definition: AttributeDefinition) -> type[AttributeFilter]:
    """Return the filter by the attribute of `definition`."""
    base, ends = _BY_TYPE[definition.type]
    name = definition_field_name(definition)
    attributes = {
        "title": definition.label(),
        "definition": definition,
        "name": name,
        "parameters": tuple(f"{name}{end}" for end in (*ends, "__isnull")),
    }
    return type(base.__name__, (base,), attributes)


def any_of(conditions: Any) -> Any:
    """Return the condition that one of `conditions` holds."""
    found = Q(pk__in=[])
    for condition in conditions:
        found |= Q(condition)
    return found


def flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise IncorrectLookupParameters
    return text == "1"


def is_unset(text: str) -> bool:
    if text not in ("True", "False"):
        raise IncorrectLookupParameters
    return text == "True"


def number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise IncorrectLookupParameters from error
