"""That a contender is right, before it is timed: what it answers, and what it stores."""

import contextlib
import http.client
import json
import time
from datetime import UTC, datetime
from itertools import islice

from tests.benchmarks.contenders.history import differences
from tests.benchmarks.databases import Seeded, query
from tests.benchmarks.load import calls

# In the documented order.
_MEMBERS = [
    *("id", "created_at", "updated_at", "first_name", "last_name", "login_id", "email_id"),
    *("status", "logged_in", "job_description", "login_using_email", "role_type"),
    *("accepting_chats", "skill_attributes", "active_chats", "custom_attributes"),
]

_HISTORY = "before, after, action, door, by_type, by_name, login_id, teams"


def check(port: int, seeded: Seeded) -> None:
    """Raise `AssertionError` where the contender on `port` does other work than ours does."""
    # Another call for each contender, for the same one would change nothing the second time.
    call, after = islice(calls(seeded, seed=f"check {time.time_ns()}"), 2)
    path = f"/api/users/{call.user}"
    headers = {
        "Authorization": f"Bearer {call.secret}",
        "teamid": str(call.team),
        "Content-Type": "application/json",
    }

    def make(body: object, path: str = path, **others: str) -> tuple[int, dict]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, 60)) as connection:
            connection.request("PATCH", path, json.dumps(body), {**headers, **others})
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def lines() -> list[tuple]:
        return query(
            seeded, f"SELECT {_HISTORY} FROM users_change WHERE user_id = %s ORDER BY id", call.user
        )

    [stored] = query(
        seeded, f"SELECT {', '.join(call.body)} FROM users_user WHERE id = %s", call.user
    )
    earlier = lines()
    started = datetime.now(UTC)
    status, answer = make(call.body)
    assert status == 200, answer
    user = answer["response"]
    assert list(answer) == ["status_code", "description", "response"], answer
    assert list(user) == _MEMBERS, user
    assert user["id"] == call.user
    assert user["job_description"] == call.body["job_description"], user
    # Merged into what was seeded, of which these stay as they were.
    assert user["custom_attributes"] == {"location": "Mumbai"} | call.body["custom_attributes"]
    assert user["skill_attributes"] == {"trainer": False} | call.body["skill_attributes"]
    assert datetime.fromisoformat(user["updated_at"]) >= started, user
    # Sent again, it is what was stored; and nothing changes, `updated_at` neither.
    assert make(call.body) == (200, answer)

    for refused in (
        make(after.body, Authorization="Bearer desk_" + "x" * 43),
        make(after.body, teamid=str(call.team % 10 + 1)),
        make(after.body, path=f"/api/users/{call.user + 1}"),  # of another team
        make({**after.body, "custom_attributes": {"business": "Fishing"}}),
        make({**after.body, "custom_attributes": {"nobody defined it": 1}}),
        make({**after.body, "skill_attributes": {"level": "three"}}),
        make({**after.body, "job_description": "x" * 256}),
    ):
        assert 400 <= refused[0] < 500, refused
    assert make(call.body) == (200, answer), "a refused call changed something"

    old = dict(zip(call.body, stored, strict=True))
    before, after = differences(old, {name: user[name] for name in call.body})
    history = (before, after, "updated", "api", "access_token", f"HR of Team {call.team}")
    assert lines() == [*earlier, (*history, user["login_id"], [call.team])]


def changes(seeded: Seeded) -> int:
    """Return how many changes the history holds."""
    [(number,)] = query(seeded, "SELECT count(*) FROM users_change")
    return number
