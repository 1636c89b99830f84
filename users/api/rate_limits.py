"""The rate limit: how many calls an access token may make in a day (UTC).

They are counted in Django's cache, whose `incr` is atomic in Redis. A cache that fails refuses
nobody: calls are not counted then.
"""

import logging
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from users.models import AccessToken

logger = logging.getLogger(__name__)

#: For how many seconds no call is counted after the cache failed, since each might wait for it.
PAUSE = 10

_DAY = 86_400
_MARGIN = 3600  # how long a day's count is kept after it, for servers whose clocks differ


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of an access token on this day.

    limit: how many it may make.
    calls: how many it has made, this one included.
    now, reset: this moment, and the end of the day, in seconds since 1970.
    """

    limit: int
    calls: int
    now: int
    reset: int

    @property
    def is_exceeded(self) -> bool:
        return self.calls > self.limit

    @property
    def headers(self) -> dict[str, str]:
        headers = {
            "Rate-Limit-Limit": str(self.limit),
            "Rate-Limit-Remaining": str(max(0, self.limit - self.calls)),
            "Rate-Limit-Reset": str(self.reset),
        }
        if self.is_exceeded:
            headers["Retry-After"] = str(self.reset - self.now)
        return headers


def count_call(token: AccessToken) -> Usage | None:
    """Count a call of the token; return None where there is no limit, or the cache fails."""
    limit = token.rate_limit
    if limit is None:
        limit = getattr(settings, "USERS_RATE_LIMIT", None)
    if limit is None:
        return None
    now = int(time.time())
    day = now // _DAY
    reset = (day + 1) * _DAY
    calls = _counter.count(f"users.calls.{token.pk}.{day}", reset - now + _MARGIN)
    return None if calls is None else Usage(limit, calls, now, reset)


class _Counter:
    """Counts in the cache, unless that failed a moment ago."""

    def __init__(self) -> None:
        self.paused_until = 0.0
        self.lock = threading.Lock()

    def count(self, key: str, timeout: int) -> int | None:
        """Return the count under `key`, one more than before; None if the cache fails."""
        if time.monotonic() < self.paused_until:
            return None
        try:
            return self._increment(key, timeout)
        except Exception as error:
            with self.lock:  # of the threads that wait for the cache together, one says it
                if time.monotonic() >= self.paused_until:
                    self.paused_until = time.monotonic() + PAUSE
                    logger.warning(
                        "The cache failed: for %d seconds, calls are not counted and no rate limit "
                        "applies. %s: %s",
                        PAUSE,
                        type(error).__name__,
                        error,
                    )
            return None

    def _increment(self, key: str, timeout: int) -> int:
        try:
            return cache.incr(key)
        except ValueError:  # the first call of the day
            return 1 if cache.add(key, 1, timeout) else cache.incr(key)


_counter = _Counter()
