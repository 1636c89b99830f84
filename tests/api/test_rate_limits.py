"""The rate limit: how many calls a day an access token may make."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.throttling import BaseThrottle

from tests.assertions import assert_refused, assert_updated
from tests.factories import TeamFactory, issue_token
from tests.redis_server import RedisServer
from users.api import rate_limits
from users.api.views.user import UserView
from users.models import AccessToken

DAY = 86_400
NOON = 20_000 * DAY + DAY // 2
HEADERS = ("Rate-Limit-Limit", "Rate-Limit-Remaining", "Rate-Limit-Reset", "Retry-After")


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Set the time of the day, in seconds since 1970, and begin with an empty cache."""

    def set_to(now):
        monkeypatch.setattr(rate_limits.time, "time", lambda: now)

    cache.clear()
    monkeypatch.setattr(rate_limits, "_counter", rate_limits._Counter())
    set_to(NOON)
    yield set_to
    cache.clear()


@pytest.fixture
def limit(settings):
    settings.USERS_RATE_LIMIT = 3
    return 3


def headers(response):
    return tuple(response.get(name) for name in HEADERS)


def get(call, **request):
    return call(method="GET", **request)


def test_without_a_limit_the_cache_is_not_touched(call, monkeypatch):
    monkeypatch.setattr(rate_limits, "cache", None)  # which would fail
    response = call({"first_name": "Bruno"})
    assert_updated(response)
    assert headers(response) == (None,) * 4


def test_each_call_says_what_is_left(call, limit):
    seen = [headers(get(call)) for _ in range(3)]
    reset = str(NOON + DAY // 2)
    assert seen == [("3", left, reset, None) for left in ("2", "1", "0")]


def test_a_call_beyond_the_limit_is_refused_and_changes_nothing(call, limit, user):
    for _ in range(3):
        get(call)
    for method, body in (("PATCH", {"first_name": "Bruno"}), ("GET", b""), ("BREW", b"")):
        response = call(body, method)
        assert_refused(response, 9429)
        assert headers(response) == ("3", "0", str(NOON + DAY // 2), str(DAY // 2))
    user.refresh_from_db()
    assert user.first_name == "Asha"


@pytest.mark.parametrize(
    "request_",
    [
        {"headers": {"teamid": "0"}},
        {"method": "BREW"},
        {"path": "/api/users/0"},
        {"body": b"\xff"},
        {"headers": {"If-Match": "x"}},
    ],
    ids=str,
)
def test_every_answer_after_authentication_says_it_and_counts(call, limit, request_):
    response = call(**request_)
    assert response.status_code >= 400
    assert headers(response)[:2] == ("3", "2")
    assert headers(get(call))[:2] == ("3", "1")


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic x"])
def test_who_is_not_let_in_is_not_counted(call, limit, authorization):
    response = get(call, headers={"Authorization": authorization})
    assert headers(response) == (None,) * 4
    assert headers(get(call))[:2] == ("3", "2")


@pytest.mark.parametrize("field", ["expires_at", "revoked_at"])
def test_a_token_that_is_no_longer_valid_is_not_counted(call, team, limit, field):
    secret = issue_token(team, **{field: timezone.now()})
    for _ in range(5):
        response = get(call, headers={"Authorization": f"Bearer {secret}"})
        assert headers(response) == (None,) * 4


def test_each_token_has_its_own_count(call, team, limit):
    for _ in range(4):
        get(call)
    other = {"Authorization": f"Bearer {issue_token(team)}"}
    assert headers(get(call, headers=other))[:2] == ("3", "2")


def test_a_tokens_count_is_of_all_its_teams(call, limit):
    other = TeamFactory()
    AccessToken.objects.get().teams.add(other)
    get(call)
    assert headers(get(call, headers={"teamid": str(other.pk)}))[:2] == ("3", "1")


@pytest.mark.parametrize(("own", "shown"), [(1, "1"), (5, "5"), (None, "3")])
def test_a_tokens_own_limit_takes_the_place_of_the_deployments(call, limit, own, shown):
    AccessToken.objects.update(rate_limit=own)
    assert get(call)["Rate-Limit-Limit"] == shown


def test_a_token_may_have_a_limit_where_the_deployment_has_none(call):
    AccessToken.objects.update(rate_limit=1)
    assert get(call).status_code == 200
    assert_refused(get(call), 9429)


def test_a_changed_limit_holds_from_the_next_call_on(call, limit):
    for _ in range(4):
        get(call)
    AccessToken.objects.update(rate_limit=10)
    assert headers(get(call))[:2] == ("10", "5")


def test_the_count_begins_anew_with_the_day_in_utc(call, limit, clock):
    midnight = NOON + DAY // 2
    clock(midnight - 0.5)
    for _ in range(3):
        get(call)
    assert headers(get(call)) == ("3", "0", str(midnight), "1")
    clock(midnight)
    assert headers(get(call)) == ("3", "2", str(midnight + DAY), None)


def test_a_count_expires_after_its_day(call, limit, monkeypatch):
    added = []
    monkeypatch.setattr(cache, "add", lambda key, value, timeout: added.append(timeout) or True)
    get(call)
    assert added == [DAY // 2 + 3600]


def test_an_evicted_count_begins_anew(call, limit):
    for _ in range(4):
        get(call)
    cache.clear()
    assert headers(get(call))[:2] == ("3", "2")


@pytest.mark.parametrize("error", [ConnectionError("refused"), ValueError, TypeError, KeyError])
def test_while_the_cache_fails_calls_go_on_and_one_warning_is_logged(
    call, limit, monkeypatch, caplog, error
):
    asked = []

    def fail(*args):
        asked.append(args)
        raise error

    monkeypatch.setattr(cache, "incr", fail)
    monkeypatch.setattr(cache, "add", lambda *args: False)
    for _ in range(5):
        response = get(call)
        assert (response.status_code, headers(response)) == (200, (None,) * 4)
    warnings = [r for r in caplog.records if r.name == "users.api.rate_limits"]
    assert [record.levelname for record in warnings] == ["WARNING"]
    assert "no rate limit applies" in warnings[0].getMessage()
    assert len(asked) <= 2  # the next calls do not wait for it


def test_a_cache_that_works_again_counts_again(call, limit, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(cache, "incr", None)
        get(call)
    monkeypatch.setattr(rate_limits._counter, "paused_until", 0.0)  # the pause is over
    assert headers(get(call))[:2] == ("3", "2")


@pytest.fixture
def redis(tmp_path, settings):
    with RedisServer(tmp_path) as redis:
        settings.CACHES = redis.caches
        yield redis


def test_no_call_of_many_threads_is_lost_in_redis(db, redis):
    token, _ = AccessToken.objects.issue("HR system", [], rate_limit=1000)

    def count(_):
        return rate_limits.count_call(token).calls

    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(count, range(1200)))
    assert sorted(counts) == list(range(1, 1201))


def test_a_count_expires_in_redis(db, redis):
    token, _ = AccessToken.objects.issue("HR system", [], rate_limit=10)
    for _ in range(2):
        rate_limits.count_call(token)
    client = cache._cache.get_client()
    [key] = client.keys()
    assert DAY // 2 < client.ttl(key) <= DAY // 2 + 3600


@pytest.mark.parametrize("fails", [RedisServer.stop, RedisServer.freeze])
def test_a_redis_that_fails_in_the_middle_lets_calls_go_on(call, limit, redis, fails, caplog):
    assert headers(get(call))[:2] == ("3", "2")
    fails(redis)
    for _ in range(10):
        assert_updated(call({"first_name": "Bruno"}))
    warnings = [r for r in caplog.records if r.name == "users.api.rate_limits"]
    assert len(warnings) == 1
    redis.stop()
    redis.start()
    rate_limits._counter.paused_until = 0.0
    assert headers(get(call))[:2] == ("3", "2")


class Refuse(BaseThrottle):
    """A throttling class of a project's own."""

    def allow_request(self, request, view):
        return False

    def wait(self):
        return 1.2


def test_a_projects_own_throttling_is_answered_alike(call, monkeypatch):
    monkeypatch.setattr(UserView, "throttle_classes", [Refuse])
    response = get(call)
    assert_refused(response, 9429)
    assert headers(response) == (None, None, None, "2")
