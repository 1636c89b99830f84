"""How django-axes counts failed log-ins, by account and address, and what it answers."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from users.backends import LoginBackend
from users.names import fold

_MAX_LENGTH = 255  # of the column that django-axes stores the account in


def account(request: HttpRequest | None, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the account that is tried: one name for its login id and email, in any case."""
    name = str((credentials or {}).get("username") or "")
    user = LoginBackend().find(name)
    return (user.login_key if user else fold(name))[:_MAX_LENGTH]


def client_address(request: HttpRequest) -> str | None:
    """Return the address that the request came from.

    Behind the proxy that HTTPS asks for, it is the last of `X-Forwarded-For`: the one that the
    proxy itself has seen. The others are the client's own words.
    """
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ip_address(forwarded))
        except ValueError:
            pass  # a proxy that does not set it
    return request.META.get("REMOTE_ADDR")  # None behind a Unix socket


def locked_out(
    request: HttpRequest, original_response: HttpResponse | None, credentials: Any
) -> HttpResponse:
    """Answer somebody who is locked out: HTTP 429, and for how long."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return render(request, "locked_out.html", {"minutes": minutes}, status=429)
