"""A database server that accepts what is sent to it and answers nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.proxy import Proxy
from tests.requirements import on_postgresql, on_server
from tests.server import Server, database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def frozen_at_will(tmp_path):
    """A server, and the proxy before its database, which it waits for no longer than a second."""
    settings = connection.settings_dict
    limit = {"postgresql": "max_wait", "mysql": "read_timeout"}[connection.vendor]
    query = f"?connect_timeout=2&{limit}=1"
    with Proxy(settings["HOST"], settings["PORT"]) as proxy:
        url = database_url().replace(f":{settings['PORT']}/", f":{proxy.port}/") + query
        with Server(tmp_path / "server.log", DATABASE_URL=url) as server:
            yield server, proxy


@on_server
def test_a_frozen_database_costs_no_thread(frozen_at_will, call):
    server, proxy = frozen_at_will
    headers = {**call.headers, "Content-Type": "application/json"}
    ready = "/readyz", None, {}, "GET"
    for _ in range(2):  # again after it thawed
        assert server.call(*ready)[0] == 200
        for n in range(9):  # there are eight threads
            _, envelope = server.call(call.path, {"first_name": f"a{n}"}, headers)
            assert envelope["status_code"] == 4309
        proxy.freeze()
        assert server.call(*ready)[0] == 503
        with ThreadPoolExecutor(9) as pool:
            answers = pool.map(
                lambda n: server.call(call.path, {"first_name": f"b{n}"}, headers), range(9)
            )
            assert {envelope["status_code"] for _, envelope in answers} == {2007}
        proxy.thaw()


@on_server
def test_a_commit_to_a_database_that_froze_is_not_cancelled(frozen_at_will, call, user):
    server, proxy = frozen_at_will
    headers = {**call.headers, "Content-Type": "application/json"}
    server.call(call.path, {"first_name": "Asha"}, headers)  # which notes the token's use, too
    proxy.freeze_after({"postgresql": b"COMMIT\0", "mysql": b"\3COMMIT"}[connection.vendor])
    _, envelope = server.call(call.path, {"first_name": "Zoë"}, headers)
    assert envelope["status_code"] == 3104
    proxy.thaw()
    user.refresh_from_db()
    assert user.first_name == "Zoë"


@on_postgresql
def test_a_probe_does_not_wait_for_a_frozen_database_as_long_as_a_call(tmp_path):
    settings = connection.settings_dict
    with Proxy(settings["HOST"], settings["PORT"]) as proxy:
        url = database_url().replace(f":{settings['PORT']}/", f":{proxy.port}/")
        with Server(tmp_path / "server.log", DATABASE_URL=url) as server:
            for _ in range(9):  # there are eight threads
                assert server.call("/readyz", None, {}, "GET")[0] == 200
            proxy.freeze()  # for longer than a probe waits, and shorter than a call
            assert server.call("/readyz", None, {}, "GET")[0] == 503
            proxy.thaw()
            assert server.call("/readyz", None, {}, "GET")[0] == 200
