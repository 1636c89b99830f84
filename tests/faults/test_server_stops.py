"""A server that is killed or stopped in the middle of its calls."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from tests.faults.load import Load
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from tests.server import Server

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
