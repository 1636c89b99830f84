"""What a load balancer or an orchestrator asks."""

from collections.abc import Callable
from functools import cache

import django.db
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from users.models.history import has_foreign_transactions

View = Callable[[HttpRequest], HttpResponse]


def middleware(get_response: View) -> View:
    """Answer a probe before Django looks at its Host and scheme.

    A probe comes past the proxy, by plain HTTP, and names the machine's address.
    """
    probes = {"/healthz": alive, "/readyz": ready}

    def answer(request: HttpRequest) -> HttpResponse:
        return probes.get(request.path_info, get_response)(request)

    return answer


def alive(request: HttpRequest) -> JsonResponse:
    """`GET /healthz`: 200, as long as the process serves at all."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """`GET /readyz`: 200 where the database is reachable and can be used, else 503 and why."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        _require_migrations()
        _require_own_transactions()
    except NotReadyError as error:
        return JsonResponse({"status": str(error)}, status=503)
    except django.db.Error:
        return JsonResponse({"status": "the database is not reachable"}, status=503)
    return JsonResponse({"status": "ok"})


class NotReadyError(Exception):
    """Why the database cannot be used yet."""


# Once a condition is met, it stays so: `cache` keeps what was returned, and no exception.
@cache
def _require_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReadyError("migrations are not applied")


@cache
def _require_own_transactions() -> None:
    if has_foreign_transactions(connection.alias):
        raise NotReadyError("the database was restored from a dump: run manage.py restart_feed")
