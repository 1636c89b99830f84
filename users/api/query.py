"""The query parameters of a call."""

from collections import Counter
from collections.abc import Collection
from urllib.parse import parse_qsl

from django.core.handlers.wsgi import WSGIRequest
from rest_framework.request import Request

from users.api import status_codes
from users.api.envelope import ApiError


def read(
    request: Request, known: Collection[str] = ()
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the query parameters by name, and errors for those that are unknown or repeated."""
    # Not `request.GET`, whose encoding and limits can be errors of their own.
    text = request.META.get("QUERY_STRING", "")
    if isinstance(request._request, WSGIRequest):  # whose text has a character for each byte
        text = text.encode("iso-8859-1").decode(errors="replace")
    query = parse_qsl(text, keep_blank_values=True)
    instead = f"Known are: {', '.join(known)}." if known else "This call takes none."
    errors = {}
    for name, count in Counter(name for name, _ in query).items():
        if name not in known:
            errors[name] = [f"There is no such parameter. {instead}"]
        elif count > 1:
            errors[name] = ["Is repeated."]
    return dict(query), errors


def require_none(request: Request) -> None:
    """Raise `ApiError` if there is any query parameter."""
    _, errors = read(request)
    if errors:
        raise ApiError(status_codes.INVALID_REQUEST, errors)
