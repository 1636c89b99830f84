"""The columns of the list of users, which each operator chooses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users.admin.attribute_fields import (
    definition_field_name,
    request_definitions,
    shown_value,
)
from users.models import AbstractUser, AttributeDefinition, ListColumns

User: Any = get_user_model()

_TEAMS_SHOWN = 2  # by name, in a row
_TEXT_SHOWN = 60  # characters of an attribute
_MAX_QUERY = 8_000  # characters; Django redirects to no longer address than twice that
_ATTRIBUTES_SHOWN = ("business", "location")  # as long as the operator has chosen nothing


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be chosen. name: what the choice is stored by."""

    name: str
    label: str
    is_chosen: bool


class UserColumns(admin.ModelAdmin):
    """The columns: those of `list_display`, or what the operator has chosen, in that order.

    In `list_display`, "custom_attributes" stands for the attributes `business` and `location`.
    """

    list_display: Sequence[Any] = (
        "name",
        "login_id",
        "email_id",
        "shown_status",
        "shown_teams",
        "custom_attributes",
        "is_logged_in",
        "is_accepting_chats",
        "active_chats",
    )
    #: What can be chosen beside `list_display` and the attributes of all definitions.
    more_columns: Sequence[str] = (
        "id",
        "job_description",
        "role_type",
        "last_login",
        "created_at",
        "updated_at",
        "login_using_email",
    )

    def get_list_display(self, request: Any) -> list[Any]:
        if not hasattr(request, "user_columns"):
            row = ListColumns.objects.filter(pk=request.user.pk).values_list("names", flat=True)
            request.user_columns = self._chosen(request, row.first() or [])
        return request.user_columns

    def _chosen(self, request: HttpRequest, names: list[str]) -> list[Any]:
        columns = self._columns(request)
        chosen = [columns[name] for name in names if name in columns]
        if not chosen:  # nothing yet, or nothing that is there still
            return self._default(request)
        # A form's row without one of its fields would be refused.
        editable = [name for name in self.list_editable if name not in chosen]
        return [*chosen, *editable]

    def _default(self, request: HttpRequest) -> list[Any]:
        attributes = [
            attribute_column(definition)
            for definition in request_definitions(request)
            if definition.field == "custom_attributes" and definition.name in _ATTRIBUTES_SHOWN
        ]
        columns: list[Any] = []
        for column in super().get_list_display(request):
            is_placeholder = column == "custom_attributes"
            columns += attributes if is_placeholder else [column]
        return columns

    def _columns(self, request: HttpRequest) -> dict[str, Any]:
        """Return all columns by name, the default ones first."""
        attributes = map(attribute_column, request_definitions(request))
        all_columns = (*self._default(request), *self.more_columns, *attributes)
        named: dict[str, Any] = {}
        for column in all_columns:
            named.setdefault(column_name(column), column)
        return named

    def column_choices(self, request: HttpRequest) -> list[Column]:
        """Return the columns that the operator can choose: first those that are shown."""
        shown = list(map(column_name, self.get_list_display(request)))
        columns = self._columns(request)
        return [
            Column(name, capfirst(str(label_for_field(columns[name], User, self))), name in shown)
            for name in dict.fromkeys((*shown, *columns))
        ]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_columns"
        view = self.admin_site.admin_view(self.columns_view)
        return [path("columns/", view, name=name), *super().get_urls()]

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """Store the columns that the operator has chosen, in their order, and lead back."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_or_change_permission(request):
            return HttpResponse(status=403)
        asked = [] if "default" in request.POST else request.POST.getlist("column")
        columns = self._columns(request)
        names = list(dict.fromkeys(name for name in asked if name in columns))
        ListColumns.objects.update_or_create(user_id=request.user.pk, defaults={"names": names})
        list_name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        url = reverse(f"{self.admin_site.name}:{list_name}")
        query = request.POST.get("query", "")
        is_query = query.isascii() and query.isprintable() and 0 < len(query) <= _MAX_QUERY
        return HttpResponseRedirect(f"{url}?{query}" if is_query else url)

    @admin.display(description=_("name"), ordering="first_name")
    def name(self, user: AbstractUser) -> str:
        return user.get_full_name()

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, user: AbstractUser) -> str:
        return _marked(user.is_active, user.get_status_display())

    @admin.display(description=_("teams"))
    def shown_teams(self, user: Any) -> str:
        return first_names([str(team) for team in user.teams.all()], _TEAMS_SHOWN)

    @admin.display(description=_("logged in"), ordering="_logged_in")
    def is_logged_in(self, user: AbstractUser) -> str:
        return _yes_or_no(user.logged_in)

    @admin.display(description=_("accepting chats"), ordering="accepting_chats")
    def is_accepting_chats(self, user: AbstractUser) -> str:
        return _yes_or_no(user.accepting_chats)


def attribute_column(definition: AttributeDefinition) -> Any:
    """Return a column of the list with the values of an attribute."""

    @admin.display(description=definition.label())
    def column(user: AbstractUser) -> str:
        attributes = getattr(user, definition.field)
        if definition.name not in attributes:
            return ""
        value = attributes[definition.name]
        if isinstance(value, bool):
            return _yes_or_no(value)
        return Truncator(shown_value(definition, value)).chars(_TEXT_SHOWN)

    column.__name__ = definition_field_name(definition)
    return column


def first_names(teams: Sequence[str], number: int) -> str:
    """Return the first `number` of `teams` as a text, which says how many there are besides."""
    shown = ", ".join(teams[:number])
    if not (more := len(teams) - number) > 0:
        return shown
    return ngettext("%(teams)s and %(more)d more", "%(teams)s and %(more)d more", more) % {
        "teams": shown,
        "more": more,
    }


def column_name(column: Any) -> str:
    """Return what choices and addresses call a column of the list."""
    return column.__name__ if callable(column) else str(column)


def _marked(is_on: bool, word: Any) -> str:
    return format_html('<span class="mark {}">{}</span>', "on" if is_on else "off", word)


def _yes_or_no(is_on: bool) -> str:
    return _marked(is_on, gettext("yes") if is_on else gettext("no"))
