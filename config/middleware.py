"""Middleware that serves the pages alone: a call below `/api/` passes it by.

It brings a token of its own, and no session, form or message. That is a twentieth of what the
update call costs (tests/benchmarks).
"""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest


class _OfPages:
    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(_OfPages, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(_OfPages, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_OfPages, messages.MessageMiddleware):
    pass
