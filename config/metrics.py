"""Metrics for Prometheus: `GET /metrics`, with `METRICS_TOKEN` as the bearer token.

`config.settings` adds the middleware if there is a token. Each host answers for all of its workers:
they write into the files of one folder, which `config.serve` makes (`prometheus_client`,
"Multiprocess Mode").
"""

import time
from collections.abc import Callable, Iterable
from os import environ
from typing import Any

import django.db
from django.conf import settings
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views import View
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from config.health import probing
from users import feed

# In seconds. A call takes some milliseconds, and 25 seconds where the database hangs.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# A server lets any word through as the method. Each would be metrics of its own, kept for ever.
_METHODS = frozenset(map(str.upper, View.http_method_names))

CALLS = Counter("desk_calls", "Calls by status code.", ["method", "path", "code"])
CALL_SECONDS = Histogram(
    "desk_call_seconds", "How long calls took.", ["method", "path"], buckets=_BUCKETS
)
LIMITED = Counter("desk_rate_limited_calls", "Calls that a rate limit counted.", ["result"])
WAITS = Histogram(
    "desk_database_wait_seconds",
    "How long calls waited for the database, each time, by what they waited for.",
    ["wait"],
    buckets=_BUCKETS,
)


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer `/metrics`, and measure calls.

    Like health checks, Prometheus asks each host itself: with plain HTTP, and any Host.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/metrics":
            return exposition(request)
        for each in connections.all():
            _measure_waits(each)
        started = time.perf_counter()
        response = get_response(request)
        if "trxid" in response:  # a call's answer, no page's
            path = request.resolver_match.route if request.resolver_match else ""
            code = getattr(response, "code", None)  # those of SCIM have none but HTTP's
            method = request.method if request.method in _METHODS else "other"
            CALLS.labels(method, path, code.number if code else response.status_code).inc()
            CALL_SECONDS.labels(method, path).observe(time.perf_counter() - started)
            if "Rate-Limit-Limit" in response:
                LIMITED.labels("refused" if "Retry-After" in response else "allowed").inc()
        return response

    return answer


def exposition(request: HttpRequest) -> HttpResponse:
    """Return all metrics in Prometheus's text format; 401 without the token."""
    sent = request.headers.get("Authorization", "")
    if not constant_time_compare(sent, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    asked = CollectorRegistry()
    asked.register(_FeedLag())
    content = generate_latest(registry) + generate_latest(asked)
    return HttpResponse(content, content_type=CONTENT_TYPE_LATEST)


class _FeedLag:
    """How far the feed is behind. It is the database's, so it is asked for when it is read."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        try:
            with probing():
                lag = feed.lag(connection.alias)
        except django.db.Error:
            return  # no value, rather than a wrong one
        yield GaugeMetricFamily(
            "desk_feed_lag_seconds",
            "The age of the oldest change that the feed holds back for a running transaction.",
            value=lag.total_seconds(),
        )


def _measure_waits(connection: Any) -> None:
    """Measure how long each connect, statement and commit of a connection takes, from now on."""
    if hasattr(connection, "users_waits_measured"):
        return
    connection.users_waits_measured = True

    def measured(wait: str, function: Callable[..., Any]) -> Callable[..., Any]:
        histogram = WAITS.labels(wait)

        def run(*args: Any) -> Any:
            with histogram.time():
                return function(*args)

        return run

    connection.connect = measured("connect", connection.connect)
    connection._commit = measured("commit", connection._commit)
    run_statement = measured("statement", lambda execute, *args: execute(*args))
    connection.execute_wrappers.append(run_statement)
