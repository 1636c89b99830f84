"""The base class of all views: who is let in, the body, the answer, the errors, the log."""

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar, cast

from django.core.signals import got_request_exception
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import reverse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException
from scim2_models import ForbiddenException, PayloadTooLargeException, SCIMException

from users import acting
from users.api import rate_limits
from users.api.authentication import AccessTokenAuthentication
from users.db import transactions
from users.db.errors import is_deadlock
from users.models import AccessToken
from users.scim import errors
from users.scim.conditions import Conditions

MAX_BYTES = 1_048_576
MEDIA_TYPE = "application/scim+json"
_MEDIA_TYPES = (MEDIA_TYPE, "application/json")

T = TypeVar("T")

logger = logging.getLogger(__name__)
request_log = logging.getLogger("users.requests")


@method_decorator([csrf_exempt, transaction.non_atomic_requests], name="dispatch")
class ScimView(View):
    """Lets in who has an access token with a SCIM team, and answers errors as SCIM has it."""

    #: The methods that change nothing, which a read-only access token allows.
    reading_methods: Collection[str] = ("GET", "HEAD")

    token: AccessToken | None = None
    rate_limit_headers: Mapping[str, str] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        started = time.perf_counter()
        trxid = acting.new_trxid()
        with acting.acting("scim", trxid=trxid), translation.override(None):
            try:
                self.admit(request)
                response: Any = super().dispatch(request, *args, **kwargs)
            except Exception as error:
                response = self.failed(error)
        response["trxid"] = trxid
        response["Cache-Control"] = "no-store"
        for name, value in self.rate_limit_headers.items():
            response[name] = value
        self.log(response, time.perf_counter() - started, trxid)
        return response

    def admit(self, request: HttpRequest) -> None:
        """Find the token, and raise `SCIMException` unless it may do this."""
        try:
            # It reads the headers alone, which any request has.
            _, token = AccessTokenAuthentication().authenticate(request)  # type: ignore[arg-type]
        except APIException as error:
            raise errors.UnauthorizedError from error
        acting.identify(token)
        self.token = token
        if usage := rate_limits.count_call(token):
            self.rate_limit_headers = usage.headers
            if usage.is_exceeded:
                raise errors.TooManyRequestsError
        if token.scim_team_id is None:
            raise ForbiddenException(detail="The access token has no SCIM team")
        method = request.method or ""
        may_write = not token.read_only or method in self.reading_methods
        if not may_write and method in self._allowed_methods():
            raise ForbiddenException(detail="The access token may only read")

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        raise errors.MethodNotAllowedError(self._allowed_methods())

    def _allowed_methods(self) -> list[str]:
        django: Any = super()
        return [method for method in django._allowed_methods() if method != "OPTIONS"]

    options = http_method_not_allowed

    def failed(self, error: Exception) -> HttpResponse:
        """Return the answer for an exception; what nobody foresaw tells nothing."""
        if not isinstance(error, SCIMException):
            got_request_exception.send(sender=type(self), request=self.request)
            logger.error("%s %r", self.request.method, self.request.path, exc_info=error)
            error = errors.InternalError()
        response = self.respond(error.to_error().model_dump(), error.status)
        if isinstance(error, errors.UnauthorizedError):
            response["WWW-Authenticate"] = "Bearer"
        if isinstance(error, errors.MethodNotAllowedError):
            response["Allow"] = error.allowed
        return response

    def respond(
        self,
        body: Mapping[str, Any] | None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        return HttpResponse(content, content_type=MEDIA_TYPE, status=status, headers=headers)

    @property
    def token_id(self) -> int:
        return cast("AccessToken", self.token).pk

    @property
    def scim_team_id(self) -> int:
        return cast("Any", self.token).scim_team_id

    @cached_property
    def group_ids(self) -> list[int]:
        """The ids of the token's Groups: the teams that it is granted, less its SCIM team."""
        grants = AccessToken.teams.through._default_manager.filter(accesstoken=self.token_id)
        granted = grants.order_by("team_id").values_list("team_id", flat=True)
        return list(granted.exclude(team=self.scim_team_id))

    @property
    def team_ids(self) -> list[int]:
        """The ids of the token's teams, whose members it sees."""
        return [self.scim_team_id, *self.group_ids]

    def store(self, work: Callable[[], T], using: str) -> T:
        """Return what `work` returns, done in a transaction; once more after a deadlock."""
        for is_last in (False, False, True):
            try:
                with transactions.atomic(using):
                    return work()
            except OperationalError as error:
                if is_last or not is_deadlock(error):
                    raise
        raise AssertionError("unreachable")

    @cached_property
    def root(self) -> str:
        """The address of the SCIM root, without a slash at its end."""
        namespace = getattr(self.request.resolver_match, "namespace", "scim")
        return self.request.build_absolute_uri(reverse(f"{namespace}:root")).rstrip("/")

    @cached_property
    def conditions(self) -> Conditions:
        headers = self.request.headers
        return Conditions(headers.get("If-Match"), headers.get("If-None-Match"))

    def read_body(self) -> dict[str, Any]:
        """Return the JSON object in the body. Raises `SCIMException`."""
        request = self.request
        length = request.META.get("CONTENT_LENGTH") or "0"
        # Not every server checks the header, and int() rejects strings of thousands of digits.
        is_number = length.isascii() and length.isdigit() and len(length) <= 15
        if not is_number or int(length) > MAX_BYTES:
            raise _too_large()
        encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
        media_type = (request.META.get("CONTENT_TYPE") or MEDIA_TYPE).partition(";")[0]
        if encoding != "identity" or media_type.strip().lower() not in _MEDIA_TYPES:
            raise errors.UnsupportedMediaTypeError
        try:
            content = request.read(MAX_BYTES + 1)
        except UnreadablePostError as error:
            raise errors.invalid_syntax("The body did not arrive whole") from error
        if len(content) > MAX_BYTES:
            raise _too_large()
        return _parsed(content)

    def log(self, response: HttpResponse, seconds: float, trxid: str) -> None:
        """Log the request as one line of JSON, without personal data or secrets."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "code": response.status_code,
            "method": self.request.method,
            "user": None,
            "team": self.token and self.token.scim_team_id,
            "token": self.token and self.token.name,
            "ms": round(seconds * 1000, 1),
            "trxid": trxid,
        }
        request_log.info(json.dumps(line))


def _too_large() -> SCIMException:
    return PayloadTooLargeException(detail=f"The body must have at most {MAX_BYTES} bytes")


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise errors.invalid_syntax("The body is nested too deeply") from error
    except ValueError as error:  # no UTF-8, no JSON, or an integer of thousands of digits
        raise errors.invalid_syntax("The body is not JSON") from error
    if not isinstance(data, dict):
        raise errors.invalid_syntax("The body is not a JSON object")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
