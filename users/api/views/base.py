"""The base class of all calls: the first checks, exception handling, the request log."""

import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import django.db
from django.db import close_old_connections, connections, transaction
from django.utils import translation
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from users import acting
from users.api import rate_limits, status_codes
from users.api.authentication import AccessTokenAuthentication
from users.api.envelope import ApiError, IgnoreClientContentNegotiation, exception_handler
from users.db.errors import is_deadlock, is_lost_connection, is_outdated_statement
from users.db.keys import NO_ROW, row_id
from users.db.transactions import OutcomeUnknownError
from users.models import AccessToken

logger = logging.getLogger(__name__)

#: A call that has taken so many seconds is not tried again: it took them to wait for a server.
TRIED_AGAIN_WITHIN = 10

# One message for teams that do not exist and teams that are not granted.
_TEAM_ID = "Must be the id of a team that the access token is granted: an unsigned integer."

#: One line of JSON per call (`ApiView.log`).
request_log = logging.getLogger("users.requests")


@contextmanager
def reading() -> Iterator[None]:
    """Answer 3105 if the database fails while a call reads what it was asked for."""
    try:
        yield
    except django.db.Error as error:
        raise ApiError(status_codes.RETRIEVAL_FAILED) from error


def team_not_found() -> ApiError:
    return ApiError(status_codes.TEAM_NOT_FOUND, {"teamid": [_TEAM_ID]})


class _TryAgainError(Exception):
    """The database failed before anything was stored, and may do better the next time."""


class ApiView(APIView):
    """The base class of the API's views.

    It does not depend on the project's `REST_FRAMEWORK` settings. To authenticate differently,
    subclass it with other `authentication_classes` and override `get_team_id`.
    """

    authentication_classes = (AccessTokenAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)  # what `EnvelopeResponse` renders itself
    content_negotiation_class = IgnoreClientContentNegotiation
    versioning_class = None

    #: The methods that change nothing, which a read-only access token allows.
    reading_methods: Collection[str] = ("GET", "HEAD")

    rate_limit_headers: Mapping[str, str] = {}  # once the caller is known, if there is a limit
    team_id: int | None = None  # the team that the caller acts for, once known
    tried_again = False

    # A call that writes opens its own transaction, so that it can handle a commit that fails: with
    # ATOMIC_REQUESTS, that would happen after the view.
    @transaction.non_atomic_requests
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.started = time.perf_counter()
        self.trxid = acting.new_trxid()
        # The texts as they stand in the code, whatever the project's language, or the request's.
        with acting.acting("api", trxid=self.trxid), translation.override(None):
            try:
                response = super().dispatch(request, *args, **kwargs)
            except _TryAgainError:
                self.tried_again = True
                close_old_connections()  # those that were lost
                response = super().dispatch(request, *args, **kwargs)
        response["trxid"] = self.trxid
        response["Cache-Control"] = "no-store"
        for name, value in self.rate_limit_headers.items():
            response[name] = value
        self.log(response, time.perf_counter() - self.started)
        return response

    def handle_exception(self, exc: Exception) -> Any:
        if self.may_try_again(exc):
            logger.warning("The call %s is tried again: %r", self.trxid, exc)
            raise _TryAgainError from exc
        return super().handle_exception(exc)

    def may_try_again(self, exc: Exception) -> bool:
        """Return True if the call stored nothing, and failed for what has passed by now.

        Its transaction was rolled back for others, or its connection was lost before the commit.
        """
        error = exc.__cause__ if isinstance(exc, ApiError) else exc
        if not isinstance(error, django.db.Error) or isinstance(error, OutcomeUnknownError):
            return False
        if self.tried_again or time.perf_counter() - self.started > TRIED_AGAIN_WITHIN:
            return False
        if any(each.in_atomic_block for each in connections.all(initialized_only=True)):
            return False  # a transaction around the call
        return is_deadlock(error) or is_lost_connection(error) or is_outdated_statement(error)

    def get_exception_handler(self) -> Any:
        return exception_handler

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.team_id = None  # which an earlier try may have found
        self.require_headers(request)  # 2002
        super().initial(request, *args, **kwargs)  # authentication: 2003, 2004
        if request.successful_authenticator is None:
            raise AuthenticationFailed
        # A host's own authentication may know a user instead of a token.
        acting.identify(request.auth if isinstance(request.auth, AccessToken) else request.user)
        self.limit_rate(request)  # 9429
        self.team_id = self.get_team_id(request)
        if self.team_id is None:
            raise team_not_found()
        # A method that there is not is no call that writes: `dispatch` looks it up next, 2099.
        if getattr(request.auth, "read_only", False) and self.writes(request):
            raise ApiError(status_codes.NOT_ALLOWED)

    def require_headers(self, request: Request) -> None:
        """Raise `ApiError`, naming each mandatory header that is missing or empty."""
        missing = {
            name: ["This header is required."]
            for name, key in (("Authorization", "HTTP_AUTHORIZATION"), ("teamid", "HTTP_TEAMID"))
            if not request.META.get(key, "").strip()
        }
        if missing:
            raise ApiError(status_codes.MISSING_HEADERS, missing)

    def limit_rate(self, request: Request) -> None:
        """Raise `ApiError` if the access token has made as many calls today as it may."""
        if not isinstance(request.auth, AccessToken):
            return  # a host that authenticates by itself limits its callers by itself
        if self.tried_again:
            return  # it is counted
        usage = rate_limits.count_call(request.auth)
        if usage is not None:
            self.rate_limit_headers = usage.headers
            if usage.is_exceeded:
                raise ApiError(status_codes.TOO_MANY_REQUESTS)

    def get_team_id(self, request: Request) -> int | None:
        """Return the team's id in the `teamid` header, or None if the token is not granted it."""
        return cast("Any", request.auth).granted_team_id

    def writes(self, request: Request) -> bool:
        """Return True if the request is a call that changes something."""
        method = request.method
        return method in self.allowed_methods and method not in self.reading_methods

    def get_granted_team_ids(self, request: Request) -> list[int]:
        """Return the ids of all teams that the caller may act for, `team_id` among them."""
        if not isinstance(request.auth, AccessToken):
            return [cast("int", self.team_id)]
        grants = AccessToken.teams.through._default_manager.filter(accesstoken=request.auth.pk)
        return list(grants.order_by("team_id").values_list("team_id", flat=True))

    def log(self, response: Any, seconds: float) -> None:
        """Log the call as one line of JSON, without personal data or secrets."""
        user = row_id(self.kwargs.get("user_id", ""))
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "code": response.code.number,
            "method": self.request.method,
            "user": None if user == NO_ROW else user,
            "team": self.team_id,
            # Unless authentication succeeded, reading `request.auth` would repeat it.
            "token": None if self.team_id is None else getattr(self.request.auth, "name", None),
            "ms": round(seconds * 1000, 1),
            "trxid": self.trxid,
        }
        request_log.info(json.dumps(line))
