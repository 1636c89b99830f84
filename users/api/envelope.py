"""The envelope of all responses, and the exception handler that maps exceptions to codes."""

import json
import logging
import math
from collections.abc import Mapping
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.views import set_rollback

from users.api import status_codes
from users.api.status_codes import StatusCode

logger = logging.getLogger(__name__)

#: How many errors a response lists: more than parameters that are known could have, where each
#: object has 100 attributes at most. A body or a query can have a hundred thousand others.
MAX_ERRORS = 250

# The custom attributes that have their own status code, in the order of precedence.
_ATTRIBUTE_CODES = {
    "business": status_codes.INVALID_BUSINESS,
    "location": status_codes.INVALID_LOCATION,
}


class ApiError(exceptions.APIException):
    """An exception with a status code of the API.

    errors: lists of messages by parameter, header or `body`; for an attribute object also by
        attribute, one level deeper.
    headers: HTTP headers of the response.
    """

    def __init__(
        self,
        code: StatusCode,
        errors: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code.description)
        self.code = code
        self.errors = errors
        self.headers = headers


class EnvelopeResponse(HttpResponse):
    """`response` in the API's envelope, as UTF-8 JSON.

    Neither the project's settings nor the request's Accept header change that.
    """

    def __init__(
        self,
        code: StatusCode,
        response: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        text = json.dumps(
            {
                "status_code": code.number,
                "description": code.description,
                "response": response,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        super().__init__(
            # Lone surrogates, which the name of an unknown parameter may contain, are escaped.
            text.encode("utf-8", "backslashreplace"),
            content_type="application/json",  # no charset, by RFC 8259
            status=code.http_status,
            headers=headers,
        )
        self.code = code


class IgnoreClientContentNegotiation(BaseContentNegotiation):
    """Always selects the first parser and renderer, whatever the request says."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> EnvelopeResponse:
    """Roll back the transaction, and return the response for `exception`.

    DRF's and Django's own exceptions are mapped as well, so that a project can use its own
    authentication, permission and throttling classes. A 500 is logged with its traceback, and the
    response does not tell the cause.

    context: DRF's, with `request` and `view`.
    """
    set_rollback()
    error = as_api_error(exception)
    if error.code.http_status >= 500:
        request = context["request"]
        got_request_exception.send(sender=type(context["view"]), request=request)
        logger.error(
            "%s: %s %r", error.code.description, request.method, request.path, exc_info=exception
        )
    errors = {"errors": listed(error.errors)} if error.errors else {}
    return EnvelopeResponse(error.code, errors, error.headers)


def listed(errors: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `errors`; of more than `MAX_ERRORS`, the first ones, and how many more there are."""
    found = [
        (name, key, message)
        for name, value in errors.items()
        for key, messages in (value.items() if isinstance(value, dict) else [(None, value)])
        for message in (messages if isinstance(messages, list) else [messages])
    ]
    if len(found) <= MAX_ERRORS:
        return errors
    first: dict[str, Any] = {}
    for name, key, message in found[:MAX_ERRORS]:
        if key is None:
            messages = first.setdefault(name, [])
        else:
            messages = first.setdefault(name, {}).setdefault(key, [])
        messages.append(message)
    messages.append(f"{len(found) - MAX_ERRORS:,} more errors are not listed.")
    return first


def as_api_error(exception: Exception) -> ApiError:
    """Return the `ApiError` for any exception."""
    match exception:
        case ApiError():
            return exception
        case exceptions.NotAuthenticated():
            return ApiError(
                status_codes.MISSING_HEADERS, {"Authorization": ["This header is required."]}
            )
        case exceptions.AuthenticationFailed() | exceptions.PermissionDenied() | PermissionDenied():
            return ApiError(status_codes.INVALID_TOKEN)
        case exceptions.MethodNotAllowed():
            return ApiError(status_codes.METHOD_NOT_ALLOWED)
        case exceptions.Throttled():  # by a project's own throttling class
            wait = cast("Any", exception).wait
            headers = {"Retry-After": str(math.ceil(wait))} if wait else None
            return ApiError(status_codes.TOO_MANY_REQUESTS, headers=headers)
        case exceptions.NotFound() | Http404():
            return ApiError(status_codes.USER_NOT_FOUND)
        case exceptions.ValidationError(detail=dict() as errors):
            return ApiError(invalid_code(errors), errors)
        case exceptions.APIException(status_code=status, detail=detail) if status < 500:
            messages = detail if isinstance(detail, list) else [str(detail)]
            return ApiError(status_codes.INVALID_REQUEST, {"body": messages})
    return ApiError(status_codes.INTERNAL_ERROR)


def invalid_code(errors: Mapping[str, Any]) -> StatusCode:
    """Return the code for the errors in a body: 3115 if any error needs it, else 3107 or 3110."""
    custom = errors.get("custom_attributes")
    if len(errors) == 1 and isinstance(custom, dict) and custom.keys() <= _ATTRIBUTE_CODES.keys():
        return next(code for name, code in _ATTRIBUTE_CODES.items() if name in custom)
    return status_codes.INVALID_REQUEST
