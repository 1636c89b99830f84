from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.concurrency.calls import CLIENTS


@pytest.fixture
def at_once(server, call):
    """Make calls for the user at once; returns [(method, body, HTTP status, envelope)]."""

    def make(request):
        method, body = request
        headers = {**call.headers, "Content-Type": "application/json"}
        return method, body, *server.call(call.path, body, headers, method)

    def all_of(requests):
        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(make, requests))

    return all_of
