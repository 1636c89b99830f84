"""A server that is killed or stopped in the middle of its calls."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from tests.factories import UserFactory
from tests.faults.load import Load
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from tests.server import Server
from users.models import Change, Membership

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


def test_what_was_acknowledged_survives_a_killed_server(tmp_path, call, user):
    acknowledged = {}
    for round_ in range(3):
        with Server(tmp_path / f"server{round_}.log") as server:
            with Load(server, call.path, call.headers) as load:
                load.wait_for(lambda load: load.codes().count(4309) >= 40)
                server.kill()
                load.stopped.set()
            latest = {}
            for _, n, envelope in load.answers:
                if envelope:
                    assert envelope["status_code"] == 4309
                    latest[f"k{n % 88}"] = max(n, latest.get(f"k{n % 88}", 0))
            acknowledged = latest
        user.refresh_from_db()
        assert user.first_name == user.last_name  # none half done
        # What is stored is what was acknowledged, or what came after it and was not answered.
        for key, n in acknowledged.items():
            assert user.skill_attributes[key] >= n


@pytest.fixture
def members(team):
    """Three hundred members of the team."""
    users = User.objects.bulk_create(UserFactory.build_batch(300, password="!"))
    Membership.objects.bulk_create([Membership(user=user, team=team) for user in users])
    return users


def assert_all_or_nothing(members, lines):
    """Assert that a bulk to the last name "B" stored all, with its history, or nothing at all."""
    stored = User.objects.filter(pk__in=[user.pk for user in members])
    with transaction.atomic():
        list(stored.select_for_update())  # the database ends the killed call's transaction first
        done = stored.filter(last_name="B").count()
        assert done in (0, len(members))
        assert Change.objects.count() == lines + done
    return bool(done)


@pytest.mark.parametrize("delay", [0.1, 0.2, 0.4, 0.8])
def test_a_bulk_that_is_killed_is_stored_whole_or_not_at_all(tmp_path, call, members, delay):
    headers = {**call.headers, "Content-Type": "application/json"}
    items = [{"id": user.pk, "last_name": "B"} for user in members]
    lines = Change.objects.count()
    with Server(tmp_path / "server.log") as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.call, "/api/users", {"users": items}, headers)
        time.sleep(delay)
        server.kill()
        killed = answer.exception(30)
    done = assert_all_or_nothing(members, lines)
    assert done or killed  # what was acknowledged is stored


@on_postgresql
def test_a_bulk_that_is_killed_after_its_updates_is_not_stored(tmp_path, call, members):
    headers = {**call.headers, "Content-Type": "application/json"}
    items = [{"id": user.pk, "last_name": "B"} for user in members]
    lines = Change.objects.count()
    with Server(tmp_path / "server.log") as server, ThreadPoolExecutor(1) as pool:
        server.call(call.path, {"first_name": "Asha"}, headers)  # the note of the token's use
        with transaction.atomic():
            with connection.cursor() as cursor:  # the history's insert comes after the updates
                cursor.execute("LOCK TABLE users_change IN EXCLUSIVE MODE")
            answer = pool.submit(server.call, "/api/users", {"users": items}, headers)
            wait_until_somebody_waits_for_a_lock()
            server.kill()
        assert answer.exception(30)
    assert not assert_all_or_nothing(members, lines)


@on_postgresql  # SQLite locks no row: a call cannot be held in the middle
def test_a_graceful_stop_finishes_what_it_has_begun(tmp_path, call, user):
    with Server(tmp_path / "server.log") as server, ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            headers = {**call.headers, "Content-Type": "application/json"}
            answer = pool.submit(server.call, call.path, {"first_name": "Zoë"}, headers)
            wait_until_somebody_waits_for_a_lock()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
        status, envelope = answer.result(30)
        assert (status, envelope["status_code"]) == (200, 4309)
        server.process.wait(30)
    assert User.objects.get(pk=user.pk).first_name == "Zoë"


def test_a_host_that_stops_fails_its_probe_first_and_serves_on(tmp_path, call):
    probe = "/readyz", None, {}, "GET"
    headers = {**call.headers, "Content-Type": "application/json"}
    with Server(tmp_path / "server.log", shutdown_delay=60) as server:
        assert server.call(*probe)[0] == 200
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 20
        while (answer := server.call(*probe)) != (503, {"status": "shutting down"}):
            assert time.monotonic() < deadline, answer
        for n in range(20):
            _, envelope = server.call(call.path, {"first_name": f"n{n}"}, headers)
            assert envelope["status_code"] == 4309
        server.process.send_signal(signal.SIGTERM)  # ends the delay
        assert server.process.wait(30) == 0


def test_a_host_that_stops_ends_after_its_delay(tmp_path, db):
    with Server(tmp_path / "server.log", shutdown_delay=1) as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
