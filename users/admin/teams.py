"""The pages of teams and of memberships: lists and forms."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users.admin.access import may_touch
from users.admin.keys import KeyedAdmin
from users.admin.locks import LockingAdmin
from users.admin.team_forms import MembershipForm, MembershipRowForm, TeamForm
from users.db.keys import row_id
from users.models import AccessToken, Membership, Team


@admin.register(Team)
class TeamAdmin(KeyedAdmin):
    form = TeamForm
    list_display = ("name", "id", "shown_members")
    search_fields = ("name",)
    fields = ("name", "shown_members")
    readonly_fields = ("shown_members",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).annotate(number_of_members=Count("memberships"))

    @admin.display(description=_("members"), ordering="number_of_members")
    def shown_members(self, team: Any) -> str:
        # A link, because a team can have thousands of members.
        if team.pk is None:
            return "—"
        text = ngettext("{} member", "{} members", team.number_of_members)
        text = text.format(team.number_of_members)
        return format_html('<a href="{}?team__id__exact={}">{}</a>', _changelist(), team.pk, text)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say, before teams are deleted, which access tokens lose them."""
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        teams = {team.pk: team for team in objs}
        tokens = AccessToken.objects.filter(teams__in=teams, revoked_at=None).distinct()
        for token in tokens.prefetch_related("teams"):
            granted = {team.pk for team in token.teams.all()}
            message = ngettext(
                "The access token {} loses this team.",
                "The access token {} loses these teams.",
                len(granted & teams.keys()),
            )
            if granted <= teams.keys():
                message = gettext(
                    "The access token {} loses its only team: whoever uses it is let in no more."
                )
            to_delete.append(format_html(message, token))
        return to_delete, counts, perms_needed, protected


class UserFilter(admin.SimpleListFilter):
    """Filters by user. The page of a user who is in many teams links to it."""

    title = _("user")
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = get_user_model()._default_manager.filter(pk=self._key()).first()
        return [(str(user.pk), str(user))] if user else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(user=self._key())

    def _key(self) -> int:
        return row_id(self.value() or "")


@admin.register(Membership)
class MembershipAdmin(LockingAdmin, KeyedAdmin):
    """Memberships; the roles are edited in the list itself.

    Only superusers can create, change and delete the memberships of superusers.
    """

    form = MembershipForm
    list_display = ("user", "team", "role")
    list_editable = ("role",)
    actions = ("delete_selected",)
    list_filter = ("team", "role", UserFilter)
    list_select_related = ("user", "team")
    autocomplete_fields = ("user",)
    ordering = ("team__name", "user__login_id")
    search_fields = ("user__login_id", "user__first_name", "user__last_name", "user__email_id")

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = type("MembershipForm", (self.form,), {"actor": request.user})
        return super().get_form(request, obj, form=form, **kwargs)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        form = type("MembershipRowForm", (MembershipRowForm,), {"actor": request.user})
        return super().get_changelist_form(request, form=form, **kwargs)

    # Lock first, and then check the permissions.

    def user_ids_of(self, rows: QuerySet[Any]) -> Iterable[Any]:
        return rows.order_by().values_list("user", flat=True)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, object_id, *args, **kwargs)
        with transaction.atomic(using=router.db_for_write(Membership)):
            self._lock_users_of(request, object_id)
            return super().changeform_view(request, object_id, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if request.method != "POST":
            return super().delete_view(request, object_id, *args, **kwargs)
        with transaction.atomic(using=router.db_for_write(Membership)):
            self._lock_users_of(request, object_id)
            return super().delete_view(request, object_id, *args, **kwargs)

    def _lock_users_of(self, request: HttpRequest, object_id: str | None) -> None:
        stored = object_id and self.get_object(request, unquote(object_id))
        ids = [row_id(request.POST.get("user", "")), *([stored.user_id] if stored else [])]
        self.lock_users(request, ids)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (
            obj is None or obj.user_id is None or may_touch(request.user, obj.user)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (
            obj is None or obj.user_id is None or may_touch(request.user, obj.user)
        )


def _changelist() -> str:
    return reverse("admin:users_membership_changelist")
