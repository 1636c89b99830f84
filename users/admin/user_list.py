"""The list of users: its columns, search and filters."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from users.admin.attribute_fields import request_definitions
from users.admin.bulk_actions import BulkActions
from users.admin.keys import KeyedAdmin
from users.admin.user_filters import attribute_filter
from users.models import AbstractUser, AttributeDefinition

User: Any = get_user_model()
Kind = AttributeDefinition.Kind


class UserList(BulkActions, KeyedAdmin):
    list_display = (
        "name",
        "login_id",
        "email_id",
        "status",
        "role_type",
        "shown_teams",
        "is_logged_in",
        "accepting_chats",
        "active_chats",
    )
    list_filter = ("status", "role_type", "teams", "accepting_chats")
    # Facets would take a query for each choice of each attribute.
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("first_name", "last_name", "login_id", "email_id")
    ordering = ("login_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return User.objects.with_logged_in()

    def user_ids_of(self, rows: QuerySet[Any]) -> Iterable[Any]:
        return rows.order_by().values_list("pk", flat=True)

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        own = [
            attribute_filter(definition)
            for definition in request_definitions(request)
            if definition.kind == Kind.CUSTOM and definition.has_choices
        ]
        return [*self.list_filter, *own]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        if hasattr(changelist.result_list, "prefetch_related"):
            changelist.result_list = changelist.result_list.prefetch_related("teams")
        return changelist

    @admin.display(description=_("name"), ordering="first_name")
    def name(self, user: AbstractUser) -> str:
        return user.get_full_name()

    @admin.display(description=_("teams"))
    def shown_teams(self, user: Any) -> str:
        return ", ".join(str(team) for team in user.teams.all())

    @admin.display(description=_("logged in"), boolean=True, ordering="_logged_in")
    def is_logged_in(self, user: AbstractUser) -> bool:
        return user.logged_in
