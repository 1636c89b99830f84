"""The pages of memberships: the members of a team, and the teams of a user."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users.admin.access import may_touch, superuser_error
from users.admin.bulk_changes import unchanged_text
from users.admin.confirmation import confirm
from users.admin.keys import KeyedAdmin
from users.admin.locks import LockingAdmin
from users.admin.team_forms import AddMembersForm, MembershipForm, MembershipRowForm, RoleForm
from users.db.keys import NO_ROW, in_parts, row_id
from users.models import Membership, Team

User: Any = get_user_model()


class UserFilter(admin.SimpleListFilter):
    """Filters by user. The page of a user who is in many teams links to it."""

    title = _("user")
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = User._default_manager.filter(pk=self._key()).first()
        return [(str(user.pk), str(user))] if user else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(user=self._key())

    def _key(self) -> int:
        return row_id(self.value() or "")


class MembershipAdmin(LockingAdmin, KeyedAdmin):
    """Memberships; the roles are edited in the list itself.

    Only superusers can create, change and delete the memberships of superusers.
    """

    form = MembershipForm
    change_list_template = "admin/users/membership_list.html"
    list_display = ("linked_user", "full_name", "team", "role")
    list_display_links = ("team",)
    list_editable = ("role",)
    list_per_page = 50
    actions = ("change_role", "delete_selected")
    list_filter = ("team", "role", UserFilter)
    list_select_related = ("user", "team")
    autocomplete_fields = ("user",)
    ordering = ("team__name", "user__login_id")
    search_fields = ("user__login_id", "user__first_name", "user__last_name", "user__email_id")

    # The list.

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        if self._users_admin and self._users_admin.has_view_permission(request):
            return self.list_display
        return ["user" if name == "linked_user" else name for name in self.list_display]

    @property
    def _users_admin(self) -> Any:
        is_registered = self.admin_site.is_registered(User)
        return self.admin_site.get_model_admin(User) if is_registered else None

    @admin.display(description=_("user"), ordering="user__login_id")
    def linked_user(self, membership: Membership) -> str:
        opts = User._meta
        name = f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_change"
        url = reverse(name, args=[membership.user.pk])
        return format_html('<a href="{}">{}</a>', url, membership.user)

    @admin.display(description=_("name"), ordering="user__first_name")
    def full_name(self, membership: Any) -> str:
        return membership.user.get_full_name()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        key = row_id(request.GET.get("team__id__exact", ""))
        team = None if key == NO_ROW else Team.objects.filter(pk=key).first()
        context = {"add_members_url": self._add_members_url(request, team)}
        if team:
            context["title"] = gettext("Members of %s") % team
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = type("MembershipForm", (self.form,), {"actor": request.user})
        return super().get_form(request, obj, form=form, **kwargs)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        form = type("MembershipRowForm", (MembershipRowForm,), {"actor": request.user})
        return super().get_changelist_form(request, form=form, **kwargs)

    # Several members at once.

    @admin.action(description=_("Change the role of the selected members"), permissions=["change"])
    def change_role(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext(
            "Change the role of %d member?", "Change the role of %d members?", count
        )
        form = RoleForm(request.POST if "confirmed" in request.POST else None)

        def effect() -> str:
            role = form.cleaned_data["role"]
            unchanged = queryset.filter(role=role).count()
            changed = count - unchanged
            text = ngettext("%d membership will change.", "%d memberships will change.", changed)
            shown = f"{form.fields['role'].label}: {Membership.Role(role).label}. {text % changed}"
            return f"{shown} {unchanged_text(unchanged)}" if unchanged else shown

        question %= count
        if page := confirm(self, request, queryset, "change_role", question, form, effect=effect):
            return page
        role = form.cleaned_data["role"]
        with transaction.atomic(using=router.db_for_write(Membership)):
            selected = dict(queryset.order_by().values_list("pk", "user"))
            users = self.lock_users(request, selected.values())
            if not self.has_change_permission(request):
                raise PermissionDenied
            if error := _error_of_any(request.user, users):
                messages.error(request, f"{error} {gettext('Nothing was changed.')}")
                return None
            # By user: the history has one line for all of a user's, except where a part ends.
            keys = sorted(selected, key=selected.__getitem__)
            changed = sum(
                Membership.objects.filter(pk__in=part).exclude(role=role).update(role=role)
                for part in in_parts(keys)
            )
        done = ngettext("Changed %d membership.", "Changed %d memberships.", changed) % changed
        if unchanged := len(keys) - changed:
            done += " " + unchanged_text(unchanged)
        messages.success(request, done)
        return None

    @admin.action(permissions=["delete"], description=_("Remove the selected members"))
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return super().delete_selected(request, queryset)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.add_members_view)
        return [
            path("add-members/", view, name="users_membership_add_members"),
            *super().get_urls(),
        ]

    def _may_add_members(self, request: HttpRequest) -> bool:
        # The widget that finds users shows them to those who may see them.
        users = self._users_admin
        return bool(
            users and users.has_view_permission(request) and self.has_add_permission(request)
        )

    def _add_members_url(self, request: HttpRequest, team: Team | None) -> str:
        if not self._may_add_members(request):
            return ""
        url = reverse(f"{self.admin_site.name}:users_membership_add_members")
        return f"{url}?{urlencode({'team': team.pk})}" if team else url

    def add_members_view(self, request: HttpRequest) -> HttpResponse:
        if not self._may_add_members(request):
            raise PermissionDenied
        initial = {"team": row_id(request.GET.get("team", ""))}
        data = request.POST if request.method == "POST" else None
        form = AddMembersForm(self.admin_site, data, initial=initial)
        if data is not None and form.is_valid():
            try:
                added = self._add_members(request, **form.cleaned_data)
            except ValidationError as error:
                form.add_error("users", error)
            else:
                team, chosen = form.cleaned_data["team"], len(form.cleaned_data["users"])
                done = ngettext("Added %d user.", "Added %d users.", added) % added
                if members := chosen - added:
                    kept = ngettext(
                        "%d was a member already, and keeps the role.",
                        "%d were members already, and keep their roles.",
                        members,
                    )
                    done += " " + kept % members
                messages.success(request, done)
                url = reverse(f"{self.admin_site.name}:users_membership_changelist")
                return HttpResponseRedirect(f"{url}?{urlencode({'team__id__exact': team.pk})}")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Add members"),
            "form": form,
            "media": self.media + form.media,
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/users/add_members.html", context)

    def _add_members(self, request: HttpRequest, users: Any, team: Team, role: str) -> int:
        """Add `users` to `team`, and return how many are new. Raises `ValidationError`."""
        with transaction.atomic(using=router.db_for_write(Membership)):
            locked = self.lock_users(request, [user.pk for user in users])
            if not self._may_add_members(request):
                raise PermissionDenied
            if error := _error_of_any(request.user, locked):
                raise ValidationError(error)
            members = set(team.memberships.filter(user__in=locked).values_list("user", flat=True))
            new = [user for user in locked if user.pk not in members]
            Membership.objects.bulk_create(
                Membership(user=user, team=team, role=role) for user in new
            )
        return len(new)

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


def _error_of_any(actor: Any, users: Iterable[Any]) -> str | None:
    """Return an error message if `actor` may not change one of `users`."""
    refused = (user for user in users if not may_touch(actor, user))
    return next((superuser_error(user) for user in refused), None)
