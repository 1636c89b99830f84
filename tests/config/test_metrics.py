"""Metrics for Prometheus."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import UserFactory
from tests.requirements import on_postgresql
from tests.server import Server
from users import feed
from users.models import AccessToken, Change

TOKEN = "a-token-of-prometheus"
SCRAPE = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def measured(settings):
    settings.METRICS_TOKEN = TOKEN
    settings.MIDDLEWARE = ["config.metrics.middleware", *settings.MIDDLEWARE]
    yield
    for name in ("connect", "_commit", "users_waits_measured"):
        vars(connections["default"]).pop(name, None)
    connection.execute_wrappers.clear()


def samples(text):
    """Return the values of metrics by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def scrape(client):
    return lambda: samples(client.get("/metrics", headers=SCRAPE).content.decode())


@pytest.fixture
def added(scrape):
    """Return how much the calls of a function added to each metric."""

    def added(function):
        before = scrape()
        function()
        return {key: value - before.get(key, 0) for key, value in scrape().items()}

    return added


UPDATE = "api/users/<str:user_id>", "PATCH"


@pytest.mark.django_db
def test_there_are_none_unless_they_are_asked_for(client):
    assert client.get("/metrics").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [None, "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer \u00fc"])
def test_they_are_for_the_holder_of_the_token(client, measured, sent):
    response = client.get("/metrics", headers={"Authorization": sent} if sent else {})
    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
def test_prometheus_may_name_the_machine_as_it_likes(client, measured, settings):
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/metrics", headers={**SCRAPE, "Host": "10.0.0.7:8000"})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")


def test_calls_are_counted_by_their_code(measured, call, added):
    def calls():
        for name in ("Zoë", "Mia"):
            call({"first_name": name})
        call({"first_name": 1})

    found = added(calls)
    assert found["desk_calls_total", *sorted(("PATCH", "4309", found_route(found)))] == 2
    assert found["desk_calls_total", *sorted(("PATCH", "3115", found_route(found)))] == 1
    assert found["desk_call_seconds_count", *sorted(("PATCH", found_route(found)))] == 3


def found_route(found):
    [route] = {
        next(label for label in key[1:] if "/" in label)
        for key, value in found.items()
        if key[0] == "desk_calls_total" and value
    }
    return route


def test_the_path_of_a_call_names_no_user(measured, call, added, user):
    found = added(lambda: call({"first_name": "Zoë"}))
    assert str(user.pk) not in found_route(found)


@pytest.mark.django_db
def test_methods_that_there_are_not_are_one(client, measured, scrape, added):
    found = added(lambda: [client.generic(f"METHOD{n}", "/api/users/1") for n in range(3)])
    assert found["desk_calls_total", *sorted(("other", "2002", found_route(found)))] == 3
    assert not any("METHOD" in label for key in found for label in key)


def test_calls_that_a_rate_limit_counts_are_counted(measured, call, added):
    AccessToken.objects.update(rate_limit=2)
    found = added(lambda: [call(method="GET") for _ in range(3)])
    assert found["desk_rate_limited_calls_total", "allowed"] == 2
    assert found["desk_rate_limited_calls_total", "refused"] == 1


@pytest.mark.django_db(transaction=True)
def test_waits_for_the_database_are_measured(measured, call, added):
    def calls():
        connection.close()
        call({"first_name": "Zoë"})

    call({"first_name": "Asha"})  # which notes the token's use
    found = added(calls)
    assert found["desk_database_wait_seconds_count", "commit"] == 1
    assert found["desk_database_wait_seconds_count", "connect"] == 1
    # The token, the user, the update, and its line in the history, alone or with the update. What
    # else there is, is asked by the scrape.
    assert found["desk_database_wait_seconds_count", "statement"] >= 3


@pytest.mark.django_db
def test_a_database_that_cannot_be_asked_costs_the_feeds_lag_alone(measured, scrape):
    def unreachable(*args):
        raise OperationalError("no route to db.internal")

    assert ("desk_feed_lag_seconds",) in scrape()
    with connection.execute_wrapper(unreachable):
        found = scrape()
    assert ("desk_feed_lag_seconds",) not in found
    assert found


@pytest.mark.django_db
def test_a_feed_that_holds_back_nothing_has_no_lag():
    assert feed.lag(connection.alias) == timedelta(0)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_feed_lags_by_the_age_of_what_it_holds_back():
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Change.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")  # a transaction that still runs
        pool.submit(_change).result()
        time.sleep(0.1)
        assert timedelta(0) < feed.lag(connection.alias) < timedelta(minutes=1)
    assert feed.lag(connection.alias) == timedelta(0)


def _change():
    UserFactory()
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_server_answers_for_all_of_its_workers(tmp_path, call):
    headers = {**call.headers, "Content-Type": "application/json"}
    with Server(tmp_path / "server.log", METRICS_TOKEN=TOKEN) as server:
        for n in range(40):  # each on a connection of its own, which either worker may take
            assert server.call(call.path, {"first_name": f"n{n}"}, headers)[0] == 200
        with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as client:
            client.request("GET", "/metrics", headers=SCRAPE)
            found = samples(client.getresponse().read().decode())
    [calls] = [value for key, value in found.items() if key[0] == "desk_calls_total"]
    assert calls == 40
