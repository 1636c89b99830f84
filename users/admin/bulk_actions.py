"""What operators do to many users at once: each asks first, and is done to all or to none."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users import attributes
from users.admin.confirmation import confirm
from users.forms import AttributeForm, TeamForm, access_removal_error, superuser_error
from users.models import AbstractUser, AttributeDefinition, Membership

User: Any = get_user_model()


class BulkActions(admin.ModelAdmin):
    actions = ("activate", "deactivate", "add_to_team", "set_custom_attribute")

    @admin.action(description=_("Activate the selected users"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Activate %d user?", "Activate %d users?", count)
        if page := confirm(self, request, queryset, "activate", question % count):
            return page
        return self._apply(request, queryset, lambda user: set_status(user, User.Status.ACTIVE))

    @admin.action(description=_("Deactivate the selected users"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext(
            "Deactivate %d user? Who is logged in is thrown out, and accepts chats no more.",
            "Deactivate %d users? Who is logged in is thrown out, and accepts chats no more.",
            count,
        )
        if page := confirm(self, request, queryset, "deactivate", question % count):
            return page
        return self._apply(
            request,
            queryset,
            lambda user: set_status(user, User.Status.INACTIVE),
            removes_access=True,
        )

    def has_add_to_team_permission(self, request: HttpRequest) -> bool:
        # Both: of several permissions that an action names, any one is enough.
        return self.has_change_permission(request) and request.user.has_perm("users.add_membership")

    @admin.action(description=_("Add the selected users to a team"), permissions=["add_to_team"])
    def add_to_team(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Add %d user to a team?", "Add %d users to a team?", count) % count
        form = TeamForm(request.POST if "confirmed" in request.POST else None)
        if page := confirm(self, request, queryset, "add_to_team", question, form):
            return page
        team, role = form.cleaned_data["team"], form.cleaned_data["role"]

        def add(user: Any) -> bool:
            # Who is in the team already keeps the role.
            return Membership.objects.get_or_create(user=user, team=team, defaults={"role": role})[
                1
            ]

        return self._apply(request, queryset, add)

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
        return self._apply(request, queryset, lambda user: set_attribute(user, definition, value))

    def _apply(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        change: Callable[[Any], bool],
        *,
        removes_access: bool = False,
    ) -> HttpResponse | None:
        """Do `change` to each user of `queryset`, locked; it returns whether it changed anything.

        A user who may not be changed, or cannot be, keeps all of them from being changed.
        """
        selected = queryset.order_by().values("pk")
        changed = 0
        try:
            with transaction.atomic(using=router.db_for_write(User)):
                if removes_access:
                    User.objects.lock_superusers()  # before any other user
                users = list(
                    User.objects.filter(pk__in=selected).order_by("pk").select_for_update()
                )
                for user in users:
                    if not self.has_change_permission(request, user):
                        raise ValidationError(superuser_error(user))
                if removes_access and (sentence := access_removal_error(request.user, users)):
                    raise ValidationError(sentence)
                for user in users:
                    if change(user):
                        changed += 1
                        self.log_change(request, user, gettext("Changed by a bulk action."))
        except ValidationError as error:
            messages.error(request, " ".join([*error.messages, gettext("Nothing was changed.")]))
            return None
        done = ngettext("Changed %d user.", "Changed %d users.", changed) % changed
        if unchanged := len(users) - changed:
            done += (
                " " + ngettext("%d was so already.", "%d were so already.", unchanged) % unchanged
            )
        messages.success(request, done)
        return None


def set_status(user: AbstractUser, status: str) -> bool:
    """Save `status`; whether it is another one."""
    if user.status == status:
        return False
    user.status = status
    user.save(update_fields=["status"])
    return True


def set_attribute(user: AbstractUser, definition: AttributeDefinition, value: Any) -> bool:
    """Save `value` (None: none) as the attribute of `definition`; whether it is another one.

    Raises `ValidationError` where the user's attributes would then not be allowed.
    """
    stored = user.custom_attributes
    wanted = attributes.merge(stored, {definition.name: value})
    if attributes.same(stored, wanted):
        return False
    errors = attributes.judge(
        stored, wanted, {definition.name: definition}, undefined_allowed=False
    )
    if errors:
        raise ValidationError([f"{user}: {sentence}" for sentence in attributes.flat(errors)])
    user.custom_attributes = wanted
    user.save(update_fields=["custom_attributes"])
    return True
