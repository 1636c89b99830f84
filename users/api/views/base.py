"""What all calls share: the stages up to the method, the seam for exceptions, the log."""

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any, cast

from django.db import transaction
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from users import acting
from users.api import status_codes
from users.api.authentication import AccessTokenAuthentication
from users.api.envelope import ApiError, OnlyChoice, exception_handler
from users.db.keys import NO_ROW, row_id
from users.models import AccessToken

# The same whatever is wrong: what is not granted is not told apart from what is not there.
_TEAM_ID = "Must be the id of a team that the access token is granted: an unsigned integer."

#: A line for each call, in JSON: see `ApiView.log`.
request_log = logging.getLogger("users.requests")


class ApiView(APIView):
    """A call of the API.

    It carries its own contract: nothing of a host's `REST_FRAMEWORK` settings reaches it. A host
    may name another authentication class in a subclass, and override `get_team_id` with it.
    """

    authentication_classes = (AccessTokenAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)  # what an `EnvelopeResponse` is
    content_negotiation_class = OnlyChoice
    versioning_class = None

    team_id: int | None = None  # the team that the caller acts for, once that is known

    # A call that writes has a transaction of its own, so that a commit that fails is still answered
    # as such: under a host's ATOMIC_REQUESTS it would fail after the view.
    @transaction.non_atomic_requests
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        self.trxid = acting.new_trxid()
        with acting.acting("api", trxid=self.trxid):
            response = super().dispatch(request, *args, **kwargs)
        response["trxid"] = self.trxid
        response["Cache-Control"] = "no-store"
        self.log(response, time.perf_counter() - started)
        return response

    def get_exception_handler(self) -> Any:
        return exception_handler

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.require_headers(request)  # 2002
        super().initial(request, *args, **kwargs)  # authentication: 2003, 2004
        if request.successful_authenticator is None:
            raise AuthenticationFailed
        # A host's own authentication may know a user instead of a token.
        acting.identify(request.auth if isinstance(request.auth, AccessToken) else request.user)
        self.team_id = self.get_team_id(request)
        if self.team_id is None:
            raise ApiError(status_codes.TEAM_NOT_FOUND, {"teamid": [_TEAM_ID]})
        # What comes next in `dispatch` is the method: 2099.

    def require_headers(self, request: Request) -> None:
        """Raise `ApiError` unless both mandatory headers are there; it names each missing one."""
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

    def log(self, response: Any, seconds: float) -> None:
        """Log the call as a line of JSON, of which nothing is personal and nothing secret."""
        user = row_id(self.kwargs["user_id"])
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "code": response.code.number,
            "method": self.request.method,
            "user": None if user == NO_ROW else user,
            "team": self.team_id,
            # Not looked at unless it was authenticated: that would authenticate once more.
            "token": None if self.team_id is None else getattr(self.request.auth, "name", None),
            "ms": round(seconds * 1000, 1),
            "trxid": self.trxid,
        }
        request_log.info(json.dumps(line))
