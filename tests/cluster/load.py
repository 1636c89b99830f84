"""Clients that update users without end, and what became of their updates."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """A call that was made: `code` is the status code, or says why there is none."""

    number: int
    began: float
    ended: float
    code: int | str


class Load:
    """A client for each user, which calls without a pause; a context manager.

    Each update has a number of its own, by which it is found in the history.
    """

    def __init__(self, host: str, team: str, secret: str, users: list[int]) -> None:
        self.host, self.users = host, users
        self.headers = {
            "Authorization": f"Bearer {secret}",
            "teamid": team,
            "Content-Type": "application/json",
        }
        self.calls: list[Call] = []
        self.lock = threading.Lock()
        self.last = 0
        self.stopped = threading.Event()

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=self._run, args=(user,)) for user in self.users]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def _run(self, user: int) -> None:
        while not self.stopped.is_set():
            with self.lock:
                self.last += 1
                number = self.last
            began = time.monotonic()
            code = self._call(user, number)
            self.calls.append(Call(number, began, time.monotonic(), code))
            time.sleep(0.02 if code == 4309 else 0.2)

    def _call(self, user: int, number: int) -> int | str:
        connection = http.client.HTTPConnection(self.host, 8000, timeout=65)
        try:
            body = json.dumps({"job_description": str(number)})
            connection.request("PATCH", f"/api/users/{user}", body, self.headers)
            answer = connection.getresponse()
            content = answer.read()
            try:
                return json.loads(content)["status_code"]
            except ValueError:  # the proxy's own answer
                return f"HTTP {answer.status}"
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()

    def since(self, start: float) -> list[Call]:
        return [call for call in list(self.calls) if call.ended >= start]


def codes(calls: list[Call]) -> Counter:
    return Counter(call.code for call in calls)


def longest_gap(calls: list[Call], start: float, end: float) -> float:
    """Return the longest time, in seconds, in which no call of any client succeeded."""
    times = sorted([start, *(call.ended for call in calls if call.code == 4309), end])
    return max(after - before for before, after in itertools.pairwise(times))
