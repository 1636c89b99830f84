"""The pages of teams."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users.admin.keys import KeyedAdmin
from users.admin.team_forms import TeamForm
from users.models import AccessToken, Team


class TeamAdmin(KeyedAdmin):
    form = TeamForm
    list_display = ("name", "id", "shown_members")
    search_fields = ("name",)
    ordering = ("name", "id")  # that of the model is not used with the number of members
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
        url = reverse(f"{self.admin_site.name}:users_membership_changelist")
        return format_html('<a href="{}?team__id__exact={}">{}</a>', url, team.pk, text)

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
