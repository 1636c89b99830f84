"""What a load balancer or an orchestrator asks."""

from collections.abc import Callable
from functools import cache

import django.db
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

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
    """`GET /readyz`: 200 where the database is reachable and migrated, else 503 and why."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _is_migrated():
            return JsonResponse({"status": "migrations are not applied"}, status=503)
    except django.db.Error:
        return JsonResponse({"status": "the database is not reachable"}, status=503)
    return JsonResponse({"status": "ok"})


def _is_migrated() -> bool:
    try:
        _require_migrations()
    except LookupError:
        return False
    return True


@cache  # which keeps only what was returned: once applied, they stay so
def _require_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError("migrations are not applied")
