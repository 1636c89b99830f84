"""Middleware for pages, which API calls skip.

Calls have no session, no log-in and no messages. Skipping the middleware saves a twentieth of the
update call's time (tests/benchmarks).
"""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest


class _SkipAPI:
    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(_SkipAPI, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(_SkipAPI, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_SkipAPI, messages.MessageMiddleware):
    pass
