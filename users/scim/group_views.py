"""`/Groups`: lists, creates, reads, changes and deletes teams, and who is in them."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, router
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from scim2_models import ForbiddenException, NotFoundException, UniquenessException

from users.models import AccessToken, Team
from users.scim import groups, members
from users.scim.base import ScimView
from users.scim.filters import GROUPS, Filter, key_of
from users.scim.groups import GroupChanges
from users.scim.lists import Search, projection
from users.scim.projection import Projection
from users.scim.schemas import GROUP


class GroupBaseView(ScimView):
    """What all views of Groups share."""

    def visible(self, using: str) -> "QuerySet[Team]":
        return Team.objects.using(using).filter(pk__in=self.group_ids)

    def represent(self, found: list[Team], shown: Projection, using: str) -> list[dict[str, Any]]:
        """Return Groups as JSON; their members are read only if they are shown."""
        if not shown.shows("members", [members.represent(0, self.root)]):
            return [groups.represent(team, None, self.root) for team in found]
        by_team = members.of_teams([team.pk for team in found], self.root, using)
        return [groups.represent(team, by_team.get(team.pk, []), self.root) for team in found]

    def answer(self, team: Team, using: str, status: int = 200) -> HttpResponse:
        shown = projection(self.request.GET)
        [group] = self.represent([team], shown, using)
        meta = group["meta"]
        headers = {"ETag": meta["version"], "Content-Location": meta["location"]}
        if status == 201:
            headers["Location"] = meta["location"]
        return self.respond(shown.of(group), status, headers)

    def save(self, team: Team, wanted: GroupChanges, using: str) -> None:
        """Save what changes of the locked team, and of its members. Raises `SCIMException`."""
        changed = {
            field: value
            for field, value in (("name", wanted.name), ("external_id", wanted.external_id))
            if value is not None and value != getattr(team, field)
        }
        if changed or team._state.adding:
            for field, value in changed.items():
                setattr(team, field, value)
            is_new = team._state.adding
            try:
                team.save(using=using, **({} if is_new else {"update_fields": list(changed)}))
            except IntegrityError as error:
                raise UniquenessException(detail="displayName: Is taken already") from error
            if is_new:
                self.grant(team, using)
        if wanted.members:
            members.store(wanted.members, team.pk, self.scim_team_id, self.team_ids, using)

    def grant(self, team: Team, using: str) -> None:
        grants = AccessToken.teams.through._default_manager.using(using)
        grants.create(accesstoken_id=self.token_id, team_id=team.pk)
        self.group_ids.append(team.pk)


class GroupListView(GroupBaseView):
    def search(self, search: Search) -> HttpResponse:
        using = router.db_for_read(get_user_model())
        found, total = search.page(self.visible(using), Filter(GROUP, GROUPS, using))
        shown = self.represent(found, search.projection, using)
        return self.respond(search.answer(shown, total))


class GroupSearchView(GroupListView):
    reading_methods = ("POST",)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.search(Search(self.read_body()))


class GroupsView(GroupListView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.search(Search.of_query(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        using = router.db_for_write(get_user_model())
        wanted = GroupChanges.of_body(self.read_body())

        # The answer is made before the commit, too: nothing after it can fail.
        def work() -> HttpResponse:
            team = Team(made_by_scim=True)
            self.save(team, wanted, using)
            return self.answer(team, using, 201)

        return self.store(work, using)


class GroupView(GroupBaseView):
    def get(self, request: HttpRequest, group_id: str) -> HttpResponse:
        using = router.db_for_read(get_user_model())
        team = self.visible(using).filter(pk=key_of(group_id)).first()
        if team is None:
            raise not_found()
        response = self.answer(team, using)
        if self.conditions.is_known(response["ETag"]):
            return HttpResponse(status=304, headers={"ETag": response["ETag"]})
        return response

    def put(self, request: HttpRequest, group_id: str) -> HttpResponse:
        body = self.read_body()
        return self.change(group_id, lambda: GroupChanges.of_body(body), self.answer)

    def patch(self, request: HttpRequest, group_id: str) -> HttpResponse:
        body = self.read_body()
        return self.change(
            group_id,
            lambda: GroupChanges.of_patch(body),
            lambda team, using: self.respond(None, 204),
        )

    def change(
        self,
        group_id: str,
        wanted: Callable[[], GroupChanges],
        answer: Callable[[Team, str], HttpResponse],
    ) -> HttpResponse:
        using = router.db_for_write(get_user_model())

        def work() -> HttpResponse:
            team = self.locked(group_id, using)
            self.save(team, wanted(), using)
            return answer(team, using)

        return self.store(work, using)

    def delete(self, request: HttpRequest, group_id: str) -> HttpResponse:
        using = router.db_for_write(get_user_model())

        def work() -> None:
            team = self.locked(group_id, using)
            if not team.made_by_scim:
                raise ForbiddenException(detail="The Group was not made by SCIM")
            others = AccessToken.objects.using(using).exclude(pk=self.token_id)
            is_valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
            granted = Q(teams=team.pk) | Q(scim_team=team.pk)
            if others.filter(is_valid, granted, revoked_at=None).exists():
                raise ForbiddenException(detail="Another access token is granted the Group")
            members.keep_visible(team.pk, self.scim_team_id, self.team_ids, using)
            team.delete(using=using)

        self.store(work, using)
        return self.respond(None, 204)

    def locked(self, group_id: str, using: str) -> Team:
        """Return the team, locked, to be changed. Raises `SCIMException`."""
        locked = self.visible(using).select_for_update()
        team = locked.filter(pk=key_of(group_id)).first()
        if team is None:
            raise not_found()

        def tag(of_members: Any) -> str:
            return str(groups.represent(team, of_members, self.root)["meta"]["version"])

        def full_tag() -> str:
            return tag(members.of_teams([team.pk], self.root, using).get(team.pk, []))

        self.conditions.require(lambda: tag(None), full_tag)
        return team


def not_found() -> NotFoundException:
    return NotFoundException(detail="There is no such Group")
