import io

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from config import health
from tests.factories import UserFactory
from users.models import Change


@pytest.fixture(autouse=True)
def asked_anew():
    conditions = health._require_migrations, health._require_own_transactions
    for condition in conditions:
        condition.cache_clear()
    yield
    for condition in conditions:
        condition.cache_clear()


def test_a_process_that_serves_is_alive_without_its_database(client):
    response = client.get("/healthz")  # which pytest-django keeps from this test
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_it_is_ready_with_its_database_migrated(client):
    for _ in range(2):
        response = client.get("/readyz")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_it_is_not_ready_without_its_database(client):
    def unreachable(*args):
        raise OperationalError("no route to db.internal")

    with connection.execute_wrapper(unreachable):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "the database is not reachable"}


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["10.0.0.7:8000", "desk.internal", "[fe80::1]", "a_b", "x y"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_who_probes_may_name_the_machine_as_he_likes(client, settings, host, path):
    settings.SECURE_SSL_REDIRECT = True  # as deployed, where a probe comes past the proxy
    assert client.get(path, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz/", "/readyz/x", "/api/users/1", "/admin/login/"])
def test_all_else_is_for_the_allowed_hosts(client, path):
    assert client.get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_it_is_not_ready_before_the_migrations(client):
    call_command("migrate", "admin", "0001", verbosity=0)
    try:
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json() == {"status": "migrations are not applied"}
    finally:
        call_command("migrate", verbosity=0)
    assert client.get("/readyz").status_code == 200


@pytest.mark.skipif(connection.vendor != "postgresql", reason="no other has transaction ids")
@pytest.mark.django_db(transaction=True)
def test_it_is_not_ready_after_a_dump_was_restored_before_the_feed_is_restarted(client):
    UserFactory()
    assert client.get("/readyz").status_code == 200
    health._require_own_transactions.cache_clear()
    Change.objects.update(transaction_id=2**40)  # of a server that has run for long
    for _ in range(2):
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json() == {
            "status": "the database was restored from a dump: run manage.py restart_feed"
        }
    call_command("restart_feed", stdout=io.StringIO())
    assert client.get("/readyz").status_code == 200
