"""The clients: a closed loop of calls over kept connections, each of which must succeed.

One thread and plain sockets: on a machine that serves too, a client library would take more of
the processor than some of the contenders do.
"""

import json
import random
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.benchmarks.databases import DEFINITIONS, TEAMS, Seeded

_CHOICES = {name: choices for _, name, _, choices in DEFINITIONS}


#: How many users a bulk update is about: as many as one may be.
BULK = 1_000


class Call(NamedTuple):
    """A request, and what its answer must be.

    user: the user that it is about, if it is one.
    expected: the status code of the API in the answer.
    users: how many users the call changes; 1 for one that reads.
    """

    method: str
    path: str
    team: int
    secret: str
    body: dict | None
    expected: int
    user: int = 0
    users: int = 1

    def as_bytes(self) -> bytes:
        body = "" if self.body is None else json.dumps(self.body)
        return (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self.secret}\r\nteamid: {self.team}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def _details(chance: random.Random) -> dict:
    """Return a text, two custom attributes and two skills, each another one each time."""
    return {
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


def _update(seeded: Seeded, chance: random.Random) -> Call:
    user = chance.randint(1, seeded.users)
    team = seeded.team_of(user)
    secret, body = seeded.secrets[team - 1], _details(chance)
    return Call("PATCH", f"/api/users/{user}", team, secret, body, 4309, user)


def _get(seeded: Seeded, chance: random.Random) -> Call:
    user = chance.randint(1, seeded.users)
    team = seeded.team_of(user)
    return Call("GET", f"/api/users/{user}", team, seeded.secrets[team - 1], None, 4306, user)


def _list(seeded: Seeded, chance: random.Random) -> Call:
    team = chance.randint(1, TEAMS)
    secret = seeded.secrets[team - 1]
    return Call("GET", "/api/users?page_size=10", team, secret, None, 4307)


def _search(seeded: Seeded, chance: random.Random) -> Call:
    team = chance.randint(1, TEAMS)
    body = {"status": {"eq": "active"}, "custom_attributes": {"business": {"eq": "Retail"}}}
    secret = seeded.secrets[team - 1]
    return Call("POST", "/api/users/search?page_size=10", team, secret, body, 4307)


def _create(seeded: Seeded, chance: random.Random) -> Call:
    team = chance.randint(1, TEAMS)
    name = f"new{chance.getrandbits(64):x}"
    body = {
        "first_name": "Bruno",
        "last_name": "Keller",
        "login_id": name,
        "email_id": f"{name}@desk.example",
        "password": "".join(chance.choices("ghijklmopqrstuvxyz", k=24)),  # unlike the names
        **_details(chance),
    }
    return Call("POST", "/api/users", team, seeded.secrets[team - 1], body, 4308)


def _bulk_update(seeded: Seeded, chance: random.Random) -> Call:
    team = chance.randint(1, TEAMS)
    members = range(team - 1 or TEAMS, seeded.users + 1, TEAMS)
    users = chance.sample(members, min(BULK, len(members)))
    body = {"users": [{"id": user, **_details(chance)} for user in users]}
    return Call("PATCH", "/api/users", team, seeded.secrets[team - 1], body, 4309, users=len(users))


#: What makes each kind of call.
KINDS: dict[str, Callable[[Seeded, random.Random], Call]] = {
    "update": _update,
    "get": _get,
    "list": _list,
    "search": _search,
    "create": _create,
    "bulk update": _bulk_update,
}


def calls(seeded: Seeded, seed: str, kind: str = "update") -> Iterator[Call]:
    """Return endless calls of a kind for users at random: the same ones for the same `seed`.

    Made a second time, they would change nothing: each measurement is to have a seed of its own.
    """
    chance = random.Random(seed)
    while True:
        yield KINDS[kind](seeded, chance)


class Client:
    """One connection, on which a call follows the answer to the last."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def send(self, call: Call) -> None:
        self.received = b""
        self.call = call
        self.started = time.perf_counter()
        self.socket.sendall(call.as_bytes())

    def receive(self) -> bool:
        """Take what has arrived, and return whether the answer is whole.

        Raises `AssertionError` unless it is the one that the call expects.
        """
        part = self.socket.recv(1 << 20)
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
        assert b'"status_code":%d,' % self.call.expected in body, self.received.decode()[:2000]
        return True


class Took(NamedTuple):
    """The seconds that each call took, in their order, and those that all took."""

    calls: list[float]
    elapsed: float


def run(
    port: int, seeded: Seeded, clients: int, seconds: float, seed: str, kind: str = "update"
) -> "Took":
    """Make calls with `clients` at a time for `seconds`, and return how long they took.

    What was sent in time is waited for.
    """
    source = calls(seeded, seed, kind)
    took: list[float] = []
    started = time.perf_counter()
    selector = selectors.EpollSelector()
    for _ in range(clients):
        client = Client(port)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(next(source))
    deadline = started + seconds
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
    return Took(took, time.perf_counter() - started)
