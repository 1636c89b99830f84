"""Health checks for load balancers and orchestrators."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import django.db
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from config import shutdown
from users.feed import has_foreign_transactions

View = Callable[[HttpRequest], HttpResponse]


def middleware(get_response: View) -> View:
    """Answer health checks before Django validates the Host and redirects to HTTPS.

    They bypass the proxy: plain HTTP, with the machine's address as Host.
    """
    probes = {"/healthz": alive, "/readyz": ready}

    def answer(request: HttpRequest) -> HttpResponse:
        return probes.get(request.path_info, get_response)(request)

    return answer


def alive(request: HttpRequest) -> JsonResponse:
    """`GET /healthz`: 200 if the process can serve requests."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """`GET /readyz`: 200 if this host can serve requests, else 503 with the reason.

    The reasons: the server is being stopped (`config.serve`), the database is not reachable, its
    migrations are not applied, or it was restored from a dump.
    """
    if shutdown.has_begun():
        return JsonResponse({"status": "shutting down"}, status=503)
    try:
        with probing():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            _require_migrations()
            _require_own_transactions()
    except NotReadyError as error:
        return JsonResponse({"status": str(error)}, status=503)
    except django.db.Error:
        return JsonResponse({"status": "the database is not reachable"}, status=503)
    return JsonResponse({"status": "ok"})


def probing() -> AbstractContextManager[Any]:
    """Return a context in which a server that hangs is waited for some seconds only, if possible.

    A load balancer asks every few seconds: if each probe waited as long as a call may, they would
    take all threads.
    """
    return getattr(connection, "probing", nullcontext)()


class NotReadyError(Exception):
    """The database is not ready."""


# Once a condition is met, it stays met. `cache` does not store exceptions.
@cache
def _require_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReadyError("migrations are not applied")


@cache
def _require_own_transactions() -> None:
    if has_foreign_transactions(connection.alias):
        raise NotReadyError("the database was restored from a dump: run manage.py restart_feed")
