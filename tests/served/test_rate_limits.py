"""The rate limit of two server processes that share a Redis."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.redis_server import RedisServer
from tests.server import Server
from users.api.rate_limits import count_call
from users.models import AccessToken

LIMIT = 10_000
SERVED = 601  # the last ones, over HTTP; those before are counted by the same code, here


@pytest.mark.django_db(transaction=True)
def test_of_10001_calls_under_a_limit_of_10000_one_is_refused(tmp_path, settings, call):
    with (
        RedisServer(tmp_path) as redis,
        Server(tmp_path / "a.log", CACHE_URL=redis.url, RATE_LIMIT=str(LIMIT)) as one,
        Server(tmp_path / "b.log", CACHE_URL=redis.url, RATE_LIMIT=str(LIMIT)) as other,
    ):
        settings.CACHES = redis.caches
        settings.USERS_RATE_LIMIT = LIMIT
        token = AccessToken.objects.get()
        before = LIMIT + 1 - SERVED
        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(lambda _: count_call(token).calls, range(before)))
        assert sorted(counts) == list(range(1, before + 1))

        def get(number):
            server = (one, other)[number % 2]
            return server.call("/api/attributes", None, call.headers, "GET")[1]["status_code"]

        with ThreadPoolExecutor(16) as pool:
            codes = Counter(pool.map(get, range(SERVED)))
        assert codes == {9200: SERVED - 1, 9429: 1}
