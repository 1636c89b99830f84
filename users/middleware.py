"""Middleware of the app."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from users.acting import acting, identify


class ActingMiddleware:
    """Names the logged-in user for what a page changes: the history says who, and by which door.

    It comes after the authentication middleware. Pages of an admin site are the door `admin`, those
    of a project's own are `code`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting("code"):
            return self.get_response(request)

    def process_view(self, request: Any, *view: Any) -> None:
        door = "admin" if "admin" in request.resolver_match.app_names else "code"
        identify(getattr(request, "user", None), door)
