"""Bulk actions on the teams of users."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from users.admin.bulk_changes import BulkChanges, Change, effect
from users.admin.confirmation import confirm
from users.db.keys import in_parts
from users.models import Membership, Team

User: Any = get_user_model()


class TeamForm(forms.Form):
    """Asks for a team."""

    team = forms.ModelChoiceField(Team.objects.all(), label=_("Team"))


class TeamAndRoleForm(TeamForm):
    """Asks for a team, and for the users' role in it."""

    role = forms.ChoiceField(
        label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.AGENT
    )


class MoveForm(forms.Form):
    """Asks for two teams: the one that the users leave, and the one that they join."""

    left = forms.ModelChoiceField(Team.objects.all(), label=pgettext_lazy("team", "From"))
    joined = forms.ModelChoiceField(Team.objects.all(), label=pgettext_lazy("team", "To"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("left") and cleaned["left"] == cleaned.get("joined"):
            raise ValidationError(gettext("Choose two different teams."))
        return cleaned


class TeamActions(BulkChanges):
    # Each needs all of its permissions; with `permissions` of an action, any would be enough.

    def has_add_to_team_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add")

    def has_move_to_team_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add", "delete")

    def has_remove_from_team_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "delete")

    def has_change_role_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "change")

    def _may(self, request: HttpRequest, *actions: str) -> bool:
        permissions = [f"users.{action}_membership" for action in actions]
        return self.has_change_permission(request) and request.user.has_perms(permissions)

    @admin.action(description=_("Add the selected users to a team"), permissions=["add_to_team"])
    def add_to_team(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Add %d user to a team?", "Add %d users to a team?", count) % count
        form = _bound(TeamAndRoleForm, request)

        def stays() -> Q:
            return _is_in(form.cleaned_data["team"])

        def add(users: Sequence[Any], superusers: Collection[Any]) -> int:
            # Existing members keep their role.
            team, role = form.cleaned_data["team"], form.cleaned_data["role"]
            members = {membership.user_id for membership in _memberships(users, team)}
            new = [user for user in users if user.pk not in members]
            Membership.objects.bulk_create(
                Membership(user=user, team=team, role=role) for user in new
            )
            return len(new)

        return self._ask_and_apply(request, queryset, "add_to_team", question, form, stays, add)

    @admin.action(
        description=_("Move the selected users to another team"), permissions=["move_to_team"]
    )
    def move_to_team(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Who is not in the first team is left out; the role is that in the first team, unless the
        user has one in the other already."""
        count = queryset.count()
        question = ngettext(
            "Move %d user to another team?", "Move %d users to another team?", count
        )
        form = _bound(MoveForm, request)

        def stays() -> Q:
            return ~_is_in(form.cleaned_data["left"])

        def move(users: Sequence[Any], superusers: Collection[Any]) -> int:
            joined = form.cleaned_data["joined"]
            members = {membership.user_id for membership in _memberships(users, joined)}
            left = _memberships(users, form.cleaned_data["left"])
            _delete(membership for membership in left if membership.user_id in members)
            _update((each for each in left if each.user_id not in members), team=joined)
            return len(left)

        return self._ask_and_apply(
            request, queryset, "move_to_team", question % count, form, stays, move
        )

    @admin.action(
        description=_("Remove the selected users from a team"), permissions=["remove_from_team"]
    )
    def remove_from_team(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        count = queryset.count()
        question = ngettext("Remove %d user from a team?", "Remove %d users from a team?", count)
        form = _bound(TeamForm, request)

        def stays() -> Q:
            return ~_is_in(form.cleaned_data["team"])

        def remove(users: Sequence[Any], superusers: Collection[Any]) -> int:
            members = _memberships(users, form.cleaned_data["team"])
            _delete(members)
            return len(members)

        return self._ask_and_apply(
            request, queryset, "remove_from_team", question % count, form, stays, remove
        )

    @admin.action(
        description=_("Change the role of the selected users in a team"),
        permissions=["change_role"],
    )
    def change_role(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Who is not in the team is left out."""
        count = queryset.count()
        question = ngettext(
            "Change the role of %d user in a team?", "Change the role of %d users in a team?", count
        )
        form = _bound(TeamAndRoleForm, request)

        def stays() -> Q:
            team, role = form.cleaned_data["team"], form.cleaned_data["role"]
            return ~_is_in(team) | _is_in(team, role=role)

        def change(users: Sequence[Any], superusers: Collection[Any]) -> int:
            role = form.cleaned_data["role"]
            members = _memberships(users, form.cleaned_data["team"])
            changed = [membership for membership in members if membership.role != role]
            _update(changed, role=role)
            return len(changed)

        return self._ask_and_apply(
            request, queryset, "change_role", question % count, form, stays, change
        )

    def _ask_and_apply(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        action: str,
        question: str,
        form: forms.Form,
        stays: Callable[[], Q],
        change: Change,
    ) -> HttpResponse | None:
        def shown() -> str:
            return f"{_answers(form)} {effect(queryset, stays())}"

        if page := confirm(self, request, queryset, action, question, form, effect=shown):
            return page
        is_allowed = getattr(self, f"has_{action}_permission")
        return self._apply(request, queryset, change, is_allowed=is_allowed)


def _bound(form: type[forms.Form], request: HttpRequest) -> forms.Form:
    return form(request.POST if "confirmed" in request.POST else None)


def _answers(form: forms.Form) -> str:
    """Return what was entered, as a sentence of the form "Team: Support, Role: Team Agent."."""
    answers = form.cleaned_data.items()
    return ", ".join(f"{form.fields[name].label}: {answer}" for name, answer in answers) + "."


def _is_in(team: Team, **conditions: Any) -> Q:
    return Q(Exists(Membership.objects.filter(user=OuterRef("pk"), team=team, **conditions)))


def _memberships(users: Sequence[Any], team: Team) -> list[Membership]:
    """Return the memberships of locked users in a team."""
    return [
        membership
        for part in in_parts(user.pk for user in users)
        for membership in Membership.objects.filter(team=team, user__in=part).order_by("user")
    ]


def _delete(memberships: Iterable[Membership]) -> None:
    for part in in_parts(membership.pk for membership in memberships):
        Membership.objects.filter(pk__in=part).delete()


def _update(memberships: Iterable[Membership], **values: Any) -> None:
    for part in in_parts(membership.pk for membership in memberships):
        Membership.objects.filter(pk__in=part).update(**values)
