"""The list of users: its search and filters; the columns are in `user_columns`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin.views.main import (
    ALL_VAR,
    ERROR_FLAG,
    ORDER_VAR,
    PAGE_VAR,
    SEARCH_VAR,
)
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict

from users.admin.attribute_fields import request_definitions
from users.admin.attribute_search import attributes_match
from users.admin.bulk_actions import BulkActions
from users.admin.keys import KeyedAdmin, KeyedChangeList
from users.admin.user_columns import UserColumns, column_name
from users.admin.user_filters import (
    AcceptingChatsFilter,
    LoggedInFilter,
    NoLongerAllowedFilter,
    RoleTypeFilter,
    StatusFilter,
    TeamFilter,
    attribute_filter,
)
from users.attributes.form_fields import normalize_line_breaks
from users.db.keys import NO_ROW, row_id
from users.models import ListColumns
from users.names import fold_line

User: Any = get_user_model()


class Chip(NamedTuple):
    """A filter that is on. url: the list without it."""

    text: str
    url: str


class UserChangeList(KeyedChangeList):
    """The list with drop-downs as filters, and what is filtered as chips.

    Its address names the columns of the order, where Django's has their positions: whoever shares
    it may have chosen other columns.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        self.query_parameters = request.GET.copy()
        if ORDER_VAR in self.query_parameters:
            self.params[ORDER_VAR] = self._order_by_position(self.query_parameters[ORDER_VAR])
        return super().get_filters(request)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        params = dict(new_params or {})
        if ORDER_VAR in params:
            params[ORDER_VAR] = self._order_by_name(params[ORDER_VAR])
        return super().get_query_string(params, remove)

    def _order_by_position(self, order: str) -> str:
        """Return the order "-name.login_id" as "-1.2"; columns that are not shown are left out."""
        positions = {
            name: str(number)
            for number, column in enumerate(self.list_display)
            for name in (column_name(column), str(number))
        }
        parts = (part.rpartition("-") for part in order.split("."))
        return ".".join(sign + positions[name] for _, sign, name in parts if name in positions)

    def _order_by_name(self, order: str) -> str:
        names = list(map(column_name, self.list_display))
        parts = (part.rpartition("-") for part in order.split(".") if part)
        return ".".join(sign + names[int(number)] for _, sign, number in parts)

    @property
    def drop_downs(self) -> list[Any]:
        return [spec for spec in self.filter_specs if getattr(spec, "is_drop_down", False)]

    @property
    def link_lists(self) -> list[tuple[Any, list[Any]]]:
        """The filters of a project's own, each with its links."""
        others = (spec for spec in self.filter_specs if not getattr(spec, "is_drop_down", False))
        return [(spec.title, list(spec.choices(self))) for spec in others]

    @property
    def kept_parameters(self) -> Iterator[tuple[str, str]]:
        """What the form of the search and the filters has to send beside its own fields."""
        left = {PAGE_VAR, ALL_VAR, ERROR_FLAG, SEARCH_VAR}
        left |= {name for spec in self.drop_downs for name in spec.parameters}
        for name, texts in self.query_parameters.lists():
            if name not in left:
                yield from ((name, text) for text in texts)

    @property
    def chips(self) -> list[Chip]:
        found = [
            Chip(text, self._without(name, value))
            for spec in self.drop_downs
            for name, value, text in spec.chips()
        ]
        if self.query:
            found.append(Chip(f"“{self.query}”", self._without(SEARCH_VAR, None)))
        return found

    def _without(self, name: str, value: str | None) -> str:
        query: QueryDict = self.query_parameters.copy()
        if value is None:
            query.setlist(name, [])
        else:
            sent = normalize_line_breaks(value)  # forms send other line breaks
            kept = [text for text in query.getlist(name) if normalize_line_breaks(text) != sent]
            query.setlist(name, kept)
        for left in (PAGE_VAR, ALL_VAR):
            query.pop(left, None)
        return f"?{query.urlencode()}"


class UserList(UserColumns, BulkActions, KeyedAdmin):
    change_list_template = "admin/users/user_change_list.html"
    list_filter: Sequence[Any] = (
        StatusFilter,
        TeamFilter,
        LoggedInFilter,
        AcceptingChatsFilter,
        RoleTypeFilter,
        NoLongerAllowedFilter,
    )
    # Facets would take a query for each choice of each attribute.
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False  # which would take a count of its own
    # Beside these: the id, choices and text attributes (`get_search_results`).
    search_fields: Sequence[str] = (
        "first_name",
        "last_name",
        "login_id",
        "email_id",
        "job_description",
    )
    ordering = ("login_id",)
    MAX_SEARCH_WORDS = 10

    class Media:
        css = {"all": ["users/user_list.css"]}
        js = ["users/user_list.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return User.objects.with_logged_in()

    def user_ids_of(self, rows: QuerySet[Any]) -> Iterable[Any]:
        return rows.order_by().values_list("pk", flat=True)

    def _through_models(self) -> list[Any]:
        return [*super()._through_models(), ListColumns]  # which nobody knows as a thing

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return [*self.list_filter, *map(attribute_filter, request_definitions(request))]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyedChangeList]:
        return UserChangeList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        if hasattr(changelist.result_list, "prefetch_related"):
            changelist.result_list = changelist.result_list.prefetch_related("teams")
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"column_choices": self.column_choices(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find users of whom each word is in a name, the email, the job or an attribute, or is the
        id."""
        if self.search_fields is not UserList.search_fields:  # a project's own
            return super().get_search_results(request, queryset, search_term)
        words = search_term.split()
        is_too_long = len(words) > self.MAX_SEARCH_WORDS or "\0" in search_term
        if is_too_long or len(search_term) > self.MAX_SEARCH_LENGTH:
            return queryset.none(), False
        for word in words:
            queryset = queryset.filter(self._matches(request, word))
        return queryset, False

    def _matches(self, request: HttpRequest, word: str) -> Q:
        found = Q(job_description__icontains=word)
        if folded := fold_line(word):
            found |= Q(text_key__contains=folded)
        if (key := row_id(word)) != NO_ROW:
            found |= Q(pk=key)
        return found | attributes_match(request_definitions(request), word)
