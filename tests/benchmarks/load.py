"""The clients: a closed loop of calls over kept connections, each of which must succeed.

One thread and plain sockets: on a machine that serves too, a client library would take more of
the processor than some of the contenders do.
"""

import json
import random
import selectors
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.benchmarks.databases import DEFINITIONS, Seeded

_CHOICES = {name: choices for _, name, _, choices in DEFINITIONS}


class Call(NamedTuple):
    """An update that changes a text, two custom attributes and two skills of one user."""

    user: int
    team: int
    secret: str
    body: dict

    def as_bytes(self) -> bytes:
        body = json.dumps(self.body)
        return (
            f"PATCH /api/users/{self.user} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self.secret}\r\nteamid: {self.team}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def calls(seeded: Seeded, seed: str) -> Iterator[Call]:
    """Return endless calls for users at random: the same ones for the same `seed`.

    Made a second time, they would change nothing: each measurement is to have a seed of its own.
    """
    chance = random.Random(seed)
    while True:
        user = chance.randint(1, seeded.users)
        team = seeded.team_of(user)
        body = {
            "job_description": f"Agent {chance.getrandbits(32):x}",
            "custom_attributes": {
                "business": chance.choice(_CHOICES["business"]),
                "floor": chance.randint(1, 1_000_000),
            },
            "skill_attributes": {
                "languages": chance.sample(_CHOICES["languages"], 2),
                "level": chance.randint(1, 1_000_000),
            },
        }
        yield Call(user, team, seeded.secrets[team - 1], body)


class Client:
    """One connection, on which a call follows the answer to the last."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def send(self, call: Call) -> None:
        self.received = b""
        self.started = time.perf_counter()
        self.socket.sendall(call.as_bytes())

    def receive(self) -> bool:
        """Take what has arrived, and return whether the answer is whole.

        Raises `AssertionError` unless it says that the user was updated.
        """
        part = self.socket.recv(65536)
        self.received += part
        head, blank, body = self.received.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            0,
        )
        if part and (not blank or len(body) < length):
            return False
        assert b'"status_code":4309' in body, self.received.decode()
        return True


def run(port: int, seeded: Seeded, clients: int, seconds: float, seed: str) -> list[float]:
    """Make calls with `clients` at a time for `seconds`: the seconds that each took, in order."""
    source = calls(seeded, seed)
    took = []
    selector = selectors.EpollSelector()
    for _ in range(clients):
        client = Client(port)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(next(source))
    deadline = time.perf_counter() + seconds
    waiting = clients
    while waiting:
        for key, _ in selector.select():
            client = key.data
            if not client.receive():
                continue
            now = time.perf_counter()
            took.append(now - client.started)
            if now < deadline:
                client.send(next(source))
            else:
                waiting -= 1
                selector.unregister(client.socket)
                client.socket.close()
    selector.close()
    return took
