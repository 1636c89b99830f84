"""Bulk actions on users. Each asks for confirmation, and changes all selected users or none."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users import invitations
from users.admin.attribute_fields import shown_value
from users.admin.bulk_action_forms import AttributeForm, CustomAttributeForm, SkillForm
from users.admin.bulk_changes import change_to, effect
from users.admin.confirmation import confirm
from users.admin.team_actions import TeamActions
from users.db.json_conditions import JSONHolds
from users.models import AttributeDefinition

User: Any = get_user_model()


class BulkActions(TeamActions):
    actions = (
        "activate",
        "deactivate",
        "add_to_team",
        "move_to_team",
        "remove_from_team",
        "change_role",
        "set_custom_attribute",
        "set_skill",
        "invite",
        "delete_selected",
    )

    def has_invite_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request) and invitations.error() is None

    @admin.action(description=_("Activate the selected users"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Activate %d user?", "Activate %d users?", count)
        if page := confirm(
            self,
            request,
            queryset,
            "activate",
            question % count,
            effect=lambda: effect(queryset, Q(status=User.Status.ACTIVE)),
        ):
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
        if page := confirm(
            self,
            request,
            queryset,
            "deactivate",
            question % count,
            effect=lambda: effect(queryset, Q(status=User.Status.INACTIVE)),
        ):
            return page
        return self._apply(
            request,
            queryset,
            change_to({"status": User.Status.INACTIVE}),
            removes_access=True,
        )

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
        return self._set_attribute(
            request, queryset, "set_custom_attribute", question % count, CustomAttributeForm
        )

    @admin.action(description=_("Set a skill of the selected users"), permissions=["change"])
    def set_skill(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Set a skill of %d user?", "Set a skill of %d users?", count) % count
        return self._set_attribute(request, queryset, "set_skill", question, SkillForm)

    def _set_attribute(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        action: str,
        question: str,
        form_class: type[AttributeForm],
    ) -> HttpResponse | None:
        form = form_class(request.POST if "confirmed" in request.POST else None)

        def shown() -> str:
            definition, value = form.cleaned_data["definition"], form.cleaned_data["value"]
            new = gettext("(removed)") if value is None else shown_value(definition, value)
            return f"{definition.label()}: {new}. {effect(queryset, _has(definition, value))}"

        if page := confirm(self, request, queryset, action, question, form, effect=shown):
            return page
        definition, value = form.cleaned_data["definition"], form.cleaned_data["value"]
        wanted = {definition.field: {definition.name: value}}
        return self._apply(request, queryset, change_to(wanted, [definition]))

    @admin.action(description=_("Send an invitation to the selected users"), permissions=["invite"])
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


def _has(definition: AttributeDefinition, value: Any) -> Q:
    """Return the condition that a user's attribute is `value` already; None: is not there."""
    if value is None:
        return ~Q(JSONHolds(definition.field, definition.name, "exists"))
    return Q(JSONHolds(definition.field, definition.name, "eq", [value]))
