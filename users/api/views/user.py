"""The call, to be read from top to bottom: its checks stand in the contract's order."""

import json
import logging
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import django.db
from django.contrib.auth import get_user_model
from django.db import connections, router, transaction
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from users.api import status_codes
from users.api.authentication import NOBODY, AccessTokenAuthentication, identifier
from users.api.body import Body
from users.api.envelope import Answer, ApiError, OnlyChoice, exception_handler
from users.api.serializers import UserSerializer, UserUpdateSerializer
from users.db import transactions
from users.db.compiled import CompiledQuery, Parameter
from users.db.errors import refuses_writes
from users.models import AbstractUser, DefinitionRow, Membership, Team, definition_rows


def _locked_member(*, skip_locked: bool) -> "QuerySet[AbstractUser]":
    """The member of a team by id, locked, and with the definitions."""
    User = get_user_model()  # noqa: N806
    # EXISTS, for a join would lock the membership too.
    is_member = Exists(
        Membership.objects.filter(user=OuterRef("pk"), team=Parameter("team", Team._meta.pk))
    )
    now = Parameter("now", DateTimeField())
    return (
        User.objects.with_logged_in(now)
        .annotate(definition_rows=definition_rows())
        .select_for_update(skip_locked=skip_locked)
        .filter(is_member, pk=Parameter("user", User._meta.pk))
        .order_by()
    )


_MEMBER = CompiledQuery(partial(_locked_member, skip_locked=False))
_MEMBER_NOT_LOCKED = CompiledQuery(partial(_locked_member, skip_locked=True))

_PARAMETERS = UserUpdateSerializer()
_ANSWER = UserSerializer()

# The same whatever is wrong: what is not granted is not told apart from what is not there.
_TEAM_ID = "Must be the id of a team that the access token is granted: an unsigned integer."

_OUTCOME_UNKNOWN = "The connection broke in the commit: it is unknown whether the update is stored."

#: A line for each call, in JSON: see `UpdateUserView.log`.
request_log = logging.getLogger("users.requests")


class _SuperusersNotLockedError(Exception):
    """A superuser is to be made inactive, which the transaction has to begin otherwise for."""


class UpdateUserView(APIView):
    """Updates a user's details (`PATCH` merges attribute objects, `PUT` replaces them).

    It carries its own contract: nothing of a host's `REST_FRAMEWORK` settings reaches it. A host
    may name another authentication class in a subclass, and override `get_team_id` with it.
    """

    http_method_names = ["patch", "put"]
    authentication_classes = (AccessTokenAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)  # what an `Answer` is
    content_negotiation_class = OnlyChoice
    versioning_class = None

    team_id: int | None = None  # the team that the caller acts for, once that is known

    # The update has a transaction of its own, so that a commit that fails is still answered as
    # such: under a host's ATOMIC_REQUESTS it would fail after the view.
    @transaction.non_atomic_requests
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        response = super().dispatch(request, *args, **kwargs)
        self.log(response, kwargs["user_id"], time.perf_counter() - started)
        return response

    def get_exception_handler(self) -> Any:
        return exception_handler

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.require_headers(request)  # 2002
        super().initial(request, *args, **kwargs)  # authentication: 2003, 2004
        if request.successful_authenticator is None:
            raise AuthenticationFailed
        self.team_id = self.get_team_id(request)
        if self.team_id is None:
            raise ApiError(status_codes.TEAM_NOT_FOUND, {"teamid": [_TEAM_ID]})
        # What comes next in `dispatch` is the method: 2099.

    def patch(self, request: Request, user_id: str) -> Answer:
        return self.update(request, user_id, replace=False)

    def put(self, request: Request, user_id: str) -> Answer:
        return self.update(request, user_id, replace=True)

    def update(self, request: Request, user_id: str, *, replace: bool) -> Answer:
        body = Body(request)  # a slow caller must not hold the lock: read first, judged below
        try:
            user = self.store(body, user_id, replace=replace)
        except _SuperusersNotLockedError:
            user = self.store(body, user_id, replace=replace, lock_superusers=True)
        return Answer(status_codes.USER_UPDATED, _ANSWER.to_representation(user))

    def store(
        self, body: Body, user_id: str, *, replace: bool, lock_superusers: bool = False
    ) -> AbstractUser:
        """Return the user, as stored with the changes that the body asks for."""
        users = get_user_model().objects.db_manager(router.db_for_write(get_user_model()))
        writing = False
        try:
            with transactions.atomic(users.db):
                superusers = users.lock_superusers() if lock_superusers else None
                user, definitions = self.get_locked_user(user_id)  # 3101

                def is_last_superuser() -> bool:
                    if superusers is None:
                        raise _SuperusersNotLockedError
                    return superusers <= {user.pk}

                parameters = body.parse()  # 3114, 3115
                changes = _PARAMETERS.changes(  # 3115, 3107, 3110
                    user,
                    definitions,
                    parameters,
                    replace=replace,
                    is_last_superuser=is_last_superuser,
                )
                if changes:
                    writing = True
                    for name, value in changes.items():
                        setattr(user, name, value)
                    user.save(update_fields=changes)
                return user
        except django.db.Error as error:
            if writing or refuses_writes(error):
                unknown = isinstance(error, transactions.OutcomeUnknownError)
                errors = {"body": [_OUTCOME_UNKNOWN]} if unknown else None
                raise ApiError(status_codes.UPDATE_FAILED, errors) from error
            raise

    def log(self, response: Any, user_id: str, seconds: float) -> None:
        """Log the call as a line of JSON, of which nothing is personal and nothing secret."""
        user = identifier(user_id)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "code": response.code.number,
            "method": self.request.method,
            "user": None if user == NOBODY else user,
            "team": self.team_id,
            # Not looked at unless it was authenticated: that would authenticate once more.
            "token": None if self.team_id is None else getattr(self.request.auth, "name", None),
            "ms": round(seconds * 1000, 1),
        }
        request_log.info(json.dumps(line))

    def require_headers(self, request: Request) -> None:
        """Raise `ApiError` unless both mandatory headers are there; it names each that is not."""
        missing = {
            name: ["This header is required."]
            for name, key in (("Authorization", "HTTP_AUTHORIZATION"), ("teamid", "HTTP_TEAMID"))
            if not request.META.get(key, "").strip()
        }
        if missing:
            raise ApiError(status_codes.MISSING_HEADERS, missing)

    def get_team_id(self, request: Request) -> int | None:
        """Return the id of the team that the `teamid` header names, None if it is not granted."""
        return cast("Any", request.auth).granted_team_id

    def get_locked_user(self, user_id: str) -> tuple[AbstractUser, list[DefinitionRow]]:
        """Return the user, whose row nobody else can change until the transaction ends.

        With it come all attribute definitions, by the same statement. It costs more statements only
        where somebody else has locked the row, and where nobody is found.
        """
        using = router.db_for_write(get_user_model())
        features = connections[using].features

        def find(query: CompiledQuery[Any]) -> list[Any]:
            return query.run(using, user=identifier(user_id), team=self.team_id, now=timezone.now())

        found = find(_MEMBER_NOT_LOCKED) if features.has_select_for_update_skip_locked else []
        if not found:
            found = find(_MEMBER)
            if found and features.has_select_for_update:
                # It may have waited for the lock, and after a wait all but the locked row is as
                # old as the statement: asked anew.
                found = find(_MEMBER)
        if not found:
            raise ApiError(status_codes.USER_NOT_FOUND)
        [user] = found
        return user, [DefinitionRow(*row) for row in user.definition_rows or ()]
