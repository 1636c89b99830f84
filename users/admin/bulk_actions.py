"""Bulk actions on users. Each asks for confirmation, and changes all selected users or none."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users import changes, invitations
from users.admin.access import access_removal_error, superuser_error
from users.admin.bulk_action_forms import AttributeForm, TeamForm
from users.admin.confirmation import confirm
from users.admin.locks import LockingAdmin
from users.attributes.rules import flat, rules_by_field
from users.models import AttributeDefinition, Membership

User: Any = get_user_model()

#: Changes a locked user, given the ids of the locked superusers; returns True if it changed.
Change: TypeAlias = Callable[[Any, Collection[Any]], bool]


class BulkActions(LockingAdmin):
    actions = (
        "activate",
        "deactivate",
        "add_to_team",
        "set_custom_attribute",
        "invite",
        "delete_selected",
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if invitations.error():
            actions.pop("invite", None)
        return actions

    @admin.action(description=_("Activate the selected users"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Activate %d user?", "Activate %d users?", count)
        if page := confirm(self, request, queryset, "activate", question % count):
            return page
        return self._apply(request, queryset, change_to({"status": User.Status.ACTIVE}))

    @admin.action(description=_("Deactivate the selected users"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext(
            "Deactivate %d user? They are logged out and stop accepting chats.",
            "Deactivate %d users? They are logged out and stop accepting chats.",
            count,
        )
        if page := confirm(self, request, queryset, "deactivate", question % count):
            return page
        return self._apply(
            request,
            queryset,
            change_to({"status": User.Status.INACTIVE}),
            removes_access=True,
        )

    def has_add_to_team_permission(self, request: HttpRequest) -> bool:
        # Both are required; with `permissions`, any of them would be enough.
        return self.has_change_permission(request) and request.user.has_perm("users.add_membership")

    @admin.action(description=_("Add the selected users to a team"), permissions=["add_to_team"])
    def add_to_team(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Add %d user to a team?", "Add %d users to a team?", count) % count
        form = TeamForm(request.POST if "confirmed" in request.POST else None)
        if page := confirm(self, request, queryset, "add_to_team", question, form):
            return page
        team, role = form.cleaned_data["team"], form.cleaned_data["role"]

        def add(user: Any, superusers: Collection[Any]) -> bool:
            # Existing members keep their role.
            return Membership.objects.get_or_create(user=user, team=team, defaults={"role": role})[
                1
            ]

        return self._apply(request, queryset, add, is_allowed=self.has_add_to_team_permission)

    @admin.action(
        description=_("Set a custom attribute of the selected users"), permissions=["change"]
    )
    def set_custom_attribute(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext(
            "Set a custom attribute of %d user?", "Set a custom attribute of %d users?", count
        )
        form = AttributeForm(request.POST if "confirmed" in request.POST else None)
        if page := confirm(self, request, queryset, "set_custom_attribute", question % count, form):
            return page
        definition, value = form.cleaned_data["definition"], form.cleaned_data["value"]
        wanted = {definition.field: {definition.name: value}}
        return self._apply(request, queryset, change_to(wanted, [definition]))

    @admin.action(description=_("Send an invitation to the selected users"), permissions=["change"])
    def invite(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        invitable = invitations.invitable(queryset)
        count = invitable.count()
        question = ngettext(
            "Send %d user a link to set the password?",
            "Send %d users a link to set the password?",
            count,
        )
        if page := confirm(self, request, queryset, "invite", question % count):
            return page
        with transaction.atomic(using=router.db_for_write(User)):
            locked = self.lock_users(request, self.user_ids_of(invitable))
            if not self.has_change_permission(request):
                raise PermissionDenied
            users = [user for user in locked if self.has_change_permission(request, user)]
            invitations.invite(*users)
        sent = ngettext("Invited %d user.", "Invited %d users.", len(users)) % len(users)
        if others := queryset.count() - len(users):
            left_out = ngettext(
                "%d was left out: only active users with the role type Customer Care and no "
                "password can be invited.",
                "%d were left out: only active users with the role type Customer Care and no "
                "password can be invited.",
                others,
            )
            sent += " " + left_out % others
        messages.success(request, sent)
        return None

    def _apply(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        change: Change,
        *,
        removes_access: bool = False,
        is_allowed: Callable[[HttpRequest], bool] | None = None,
    ) -> HttpResponse | None:
        """Lock the users of `queryset` and apply `change` to each, if `is_allowed` at all.

        If one of them must not or cannot be changed, none is.
        """
        changed = 0
        try:
            with transaction.atomic(using=router.db_for_write(User)):
                users = self.lock_users(request, self.user_ids_of(queryset))
                superusers = request.locked_superusers  # type: ignore[attr-defined]
                # Check again: permissions may have changed during the wait for the lock.
                if not (is_allowed or self.has_change_permission)(request):
                    raise PermissionDenied
                for user in users:
                    if not self.has_change_permission(request, user):
                        raise ValidationError(superuser_error(user))
                if removes_access and (
                    error := access_removal_error(request.user, users, superusers)
                ):
                    raise ValidationError(error)
                for user in users:
                    if change(user, superusers):
                        changed += 1
        except ValidationError as error:
            messages.error(request, " ".join([*error.messages, gettext("Nothing was changed.")]))
            return None
        done = ngettext("Changed %d user.", "Changed %d users.", changed) % changed
        if unchanged := len(users) - changed:
            done += " " + ngettext("%d unchanged.", "%d unchanged.", unchanged) % unchanged
        messages.success(request, done)
        return None


def change_to(wanted: Mapping[str, Any], definitions: Iterable[AttributeDefinition] = ()) -> Change:
    """Return the `Change` to the values `wanted`; `definitions` are those of its attributes."""
    rules = rules_by_field(definitions)

    def change(user: Any, superusers: Collection[Any]) -> bool:
        try:
            found = changes.validate(user, wanted, rules, superusers=superusers)
        except changes.InvalidChangeError as error:
            messages = (message for errors in error.errors.values() for message in flat(errors))
            raise ValidationError([f"{user}: {message}" for message in messages]) from error
        changes.save(user, found)
        return bool(found)

    return change
