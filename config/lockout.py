"""Configures django-axes: what identifies an account and a client, and the lock-out page."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from users.backends import LoginBackend
from users.names import fold

_MAX_LENGTH = 255  # of the column that django-axes stores the account in


def account(request: HttpRequest | None, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the account's name: the same for its login id and its email, in any case."""
    name = str((credentials or {}).get("username") or "")
    user = LoginBackend().find(name)
    return (user.login_key if user else fold(name))[:_MAX_LENGTH]


def client_address(request: HttpRequest) -> str | None:
    """Return the client's address.

    With HTTPS on, there is a proxy, and it is the last address in `X-Forwarded-For`, which the
    proxy adds. The others come from the client and cannot be trusted.
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
    """Return the lock-out page (HTTP 429), which says for how long."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    title = gettext("Too many failed log-ins")
    context = {**admin.site.each_context(request), "title": title, "minutes": minutes}
    return render(request, "locked_out.html", context, status=429)
