"""One user, `/api/users/{id}`: `GET`, `PATCH`, `PUT`. The order of the checks is documented."""

from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet
from django.utils import timezone
from rest_framework.request import Request

from users import changes
from users.api import etags, status_codes
from users.api.body import Body
from users.api.envelope import ApiError, EnvelopeResponse
from users.api.serializers import UserSerializer, UserUpdateSerializer
from users.api.status_codes import StatusCode
from users.api.views.base import ApiView, reading
from users.api.views.saving import saving
from users.attributes.rules import Rules, rules_by_field
from users.db.compiled import CompiledQuery, Parameter
from users.db.keys import row_id
from users.models import AbstractUser, DefinitionRow, Membership, Team, definition_rows


def _member() -> "QuerySet[AbstractUser]":
    """Return the queryset of a team's member by id."""
    User = get_user_model()  # noqa: N806
    # EXISTS, because a join would lock the membership too.
    is_member = Exists(
        Membership.objects.filter(user=OuterRef("pk"), team=Parameter("team", Team._meta.pk))
    )
    now = Parameter("now", DateTimeField())
    users = User.objects.with_logged_in(now)
    return users.filter(is_member, pk=Parameter("user", User._meta.pk)).order_by()


def _locked_member(*, skip_locked: bool) -> "QuerySet[AbstractUser]":
    """Return the queryset of a team's member by id, locked, with the attribute definitions."""
    members = _member().annotate(definition_rows=definition_rows())
    return members.select_for_update(skip_locked=skip_locked)


_MEMBER = CompiledQuery(_member)
_LOCKED_MEMBER = CompiledQuery(partial(_locked_member, skip_locked=False))
_MEMBER_NOT_LOCKED = CompiledQuery(partial(_locked_member, skip_locked=True))

_UPDATE = UserUpdateSerializer()
_USER = UserSerializer()


def user_response(code: StatusCode, user: AbstractUser) -> EnvelopeResponse:
    """Return the answer that is the user, with its `ETag`."""
    representation = _USER.to_representation(user)
    return EnvelopeResponse(code, representation, {"ETag": etags.tag(representation)})


class UserView(ApiView):
    """A user's details: `PATCH` merges attribute objects, `PUT` replaces them."""

    http_method_names = ["get", "head", "patch", "put"]

    @reading()
    def get(self, request: Request, user_id: str) -> EnvelopeResponse:
        using = router.db_for_read(get_user_model())
        now = timezone.now()
        found = _MEMBER.run(using, user=row_id(user_id), team=self.team_id, now=now)
        if not found:
            raise ApiError(status_codes.USER_NOT_FOUND)
        return user_response(status_codes.USER_RETRIEVED, found[0])

    def patch(self, request: Request, user_id: str) -> EnvelopeResponse:
        return self.update(request, user_id, replace=False)

    def put(self, request: Request, user_id: str) -> EnvelopeResponse:
        return self.update(request, user_id, replace=True)

    def update(self, request: Request, user_id: str, *, replace: bool) -> EnvelopeResponse:
        # Before the lock, which a slow caller would hold.
        body = Body(request, merge_patch=not replace)
        try:
            user = self.store(body, user_id, replace=replace)
        except changes.SuperusersNotLockedError:
            user = self.store(body, user_id, replace=replace, lock_superusers=True)
        return user_response(status_codes.USER_UPDATED, user)

    def store(
        self, body: Body, user_id: str, *, replace: bool, lock_superusers: bool = False
    ) -> AbstractUser:
        """Validate the body, save the changes, and return the user."""
        users = get_user_model().objects.db_manager(router.db_for_write(get_user_model()))
        with saving(users.db) as attempt:
            superusers = users.lock_superusers() if lock_superusers else None
            user, rules = self.get_locked_user(user_id)  # 3101
            if etags.is_conditional(self.request):
                etags.require_match(self.request, _USER.to_representation(user))  # 9412
            found = _UPDATE.changes(  # 3114, 3115, 3107, 3110
                user, body.parse(), rules, replace=replace, superusers=superusers
            )
            attempt.writes = bool(found)
            changes.save(user, found)
        return user

    def get_locked_user(self, user_id: str) -> tuple[AbstractUser, dict[str, Rules]]:
        """Return the user, with its row locked, and the rules for its attributes.

        It takes one statement; two more if the row is locked by somebody else.
        """
        using = router.db_for_write(get_user_model())
        features = connections[using].features

        def find(query: CompiledQuery[Any]) -> list[Any]:
            return query.run(using, user=row_id(user_id), team=self.team_id, now=timezone.now())

        found = find(_MEMBER_NOT_LOCKED) if features.has_select_for_update_skip_locked else []
        if not found:
            found = find(_LOCKED_MEMBER)
            if found and features.has_select_for_update:
                # It may have waited for the lock. After a wait, only the locked row is up to date,
                # not what the statement read from other tables: run it again.
                found = find(_LOCKED_MEMBER)
        if not found:
            raise ApiError(status_codes.USER_NOT_FOUND)
        [user] = found
        return user, rules_by_field(DefinitionRow(*row) for row in user.definition_rows or ())
