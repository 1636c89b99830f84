"""Middleware for pages."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.middleware import locale


class ForPages:
    """Leaves calls out: they have no session, and are answered in English.

    For what it saves see `python -m tests.benchmarks.parts`.
    """

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(("/api/", "/scim/")):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(ForPages, sessions.SessionMiddleware):
    pass


class LocaleMiddleware(ForPages, locale.LocaleMiddleware):
    pass


class AuthenticationMiddleware(ForPages, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(ForPages, messages.MessageMiddleware):
    pass


# No script and no style stands in a page itself. `data:` is what style sheets draw with.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Have browsers load nothing from elsewhere, and run no script that was put into a page.

    Django's own middleware is there from 6.0 on; this is for 5.2 too.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", _POLICY)
        return response

    return answer
