"""Calls that go on while something fails."""

import contextlib
import threading
import time


def both_names(n):
    """Return an update of two parameters that must be seen together or not at all."""
    return {"first_name": f"n{n}", "last_name": f"n{n}", "skill_attributes": {f"k{n}": n}}


class Load:
    """Calls one after the other, in several threads, until it is stopped."""

    def __init__(self, server, path, headers, clients=4):
        self.server, self.path = server, path
        self.headers = {**headers, "Content-Type": "application/json"}
        self.answers = []  # (when, n, envelope or None)
        self.stopped = threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(start, clients)) for start in range(clients)
        ]

    def _run(self, n, step):
        while not self.stopped.is_set():
            envelope = None
            # The key goes again, for an object takes a hundred of them; each is of one client.
            body = both_names(n) | {"skill_attributes": {f"k{n % 88}": n}}
            with contextlib.suppress(OSError, ValueError, Exception):
                _, envelope = self.server.call(self.path, body, self.headers)
            self.answers.append((time.monotonic(), n, envelope))
            n += step

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)

    def codes(self, since=0.0):
        return [e and e["status_code"] for when, _, e in list(self.answers) if when >= since]

    def wait_for(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < deadline, self.codes()[-20:]
            time.sleep(0.02)
