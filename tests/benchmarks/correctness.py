"""That a contender is right, before it is timed: what it answers, and what it stores."""

import contextlib
import http.client
import json
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from tests.benchmarks.contenders.history import differences
from tests.benchmarks.databases import Seeded, query
from tests.benchmarks.load import Call, calls

# In the documented order.
_MEMBERS = [
    *("id", "created_at", "updated_at", "first_name", "last_name", "login_id", "email_id"),
    *("status", "logged_in", "job_description", "login_using_email", "role_type"),
    *("accepting_chats", "skill_attributes", "active_chats", "custom_attributes"),
]

_HISTORY = "before, after, action, door, by_type, by_name, login_id, teams"


def check(port: int, seeded: Seeded, kinds: Collection[str]) -> None:
    """Raise `AssertionError` where the contender on `port` does other work than ours does."""
    for kind in kinds:
        _CHECKS[kind](port, seeded)


def _make(
    port: int, call: Call, body: object = None, path: str = "", **headers: str
) -> tuple[int, dict]:
    """Make the call, with what is named in place of its own, and return the status and answer."""
    headers = {
        "Authorization": f"Bearer {call.secret}",
        "teamid": str(call.team),
        "Content-Type": "application/json",
        **headers,
    }
    content = json.dumps(call.body if body is None else body) if call.body else None
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, 60)) as connection:
        connection.request(call.method, path or call.path, content, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def _calls(seeded: Seeded, kind: str) -> Iterator[Call]:
    # Other calls for each contender, for the same ones would change nothing the second time.
    return calls(seeded, f"check {time.time_ns()}", kind)


def _lines(seeded: Seeded, user: int) -> list[tuple]:
    sql = f"SELECT {_HISTORY} FROM users_change WHERE user_id = %s ORDER BY id"
    return query(seeded, sql, user)


def _other_team(call: Call) -> str:
    return str(call.team % 10 + 1)


def _check_update(port: int, seeded: Seeded) -> None:
    call, after = islice(_calls(seeded, "update"), 2)
    make = partial(_make, port, call)
    [stored] = query(
        seeded, f"SELECT {', '.join(call.body)} FROM users_user WHERE id = %s", call.user
    )
    earlier = _lines(seeded, call.user)
    started = datetime.now(UTC)
    status, answer = make()
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
    assert make() == (200, answer)

    for refused in (
        make(after.body, Authorization="Bearer desk_" + "x" * 43),
        make(after.body, teamid=_other_team(call)),
        make(after.body, path=f"/api/users/{call.user + 1}"),  # of another team
        make({**after.body, "custom_attributes": {"business": "Fishing"}}),
        make({**after.body, "custom_attributes": {"nobody defined it": 1}}),
        make({**after.body, "skill_attributes": {"level": "three"}}),
        make({**after.body, "job_description": "x" * 256}),
    ):
        assert 400 <= refused[0] < 500, refused
    assert make() == (200, answer), "a refused call changed something"

    old = dict(zip(call.body, stored, strict=True))
    before, after = differences(old, {name: user[name] for name in call.body})
    history = (before, after, "updated", "api", "access_token", f"HR of Team {call.team}")
    assert _lines(seeded, call.user) == [*earlier, (*history, user["login_id"], [call.team])]


def _check_get(port: int, seeded: Seeded) -> None:
    call = next(_calls(seeded, "get"))
    status, answer = _make(port, call)
    assert status == 200, answer
    assert list(answer["response"]) == _MEMBERS, answer
    assert answer["response"]["id"] == call.user, answer
    assert _make(port, call, path=f"/api/users/{call.user + 1}")[0] == 404  # of another team
    assert _make(port, call, teamid=_other_team(call))[0] == 404


def _check_list(port: int, seeded: Seeded) -> None:
    _check_page(port, next(_calls(seeded, "list")), seeded, "")


def _check_search(port: int, seeded: Seeded) -> None:
    is_sqlite = seeded.url.startswith("sqlite")
    business = (
        "json_extract(custom_attributes, '$.business')"
        if is_sqlite
        else ("custom_attributes ->> 'business'")
    )
    condition = f"AND status = 'active' AND {business} = 'Retail'"
    _check_page(port, next(_calls(seeded, "search")), seeded, condition)


def _check_page(port: int, call: Call, seeded: Seeded, condition: str) -> None:
    status, answer = _make(port, call)
    assert status == 200, answer
    page = answer["response"]
    assert list(page) == ["users", "page_size", "has_more", "after"], answer
    assert list(page["users"][0]) == _MEMBERS, answer
    expected = query(
        seeded,
        "SELECT users_user.id FROM users_user JOIN users_membership ON user_id = users_user.id "
        f"WHERE team_id = %s {condition} ORDER BY users_user.id LIMIT 11",
        call.team,
    )
    assert [user["id"] for user in page["users"]] == [pk for (pk,) in expected[:10]], answer
    assert page["has_more"] == (len(expected) > 10), answer
    assert _make(port, call, teamid=_other_team(call))[0] == 404


def _check_create(port: int, seeded: Seeded) -> None:
    call = next(_calls(seeded, "create"))
    status, answer = _make(port, call)
    assert status == 201, answer
    user = answer["response"]
    given = {name: value for name, value in call.body.items() if name != "password"}
    assert {name: user[name] for name in given} == given, answer
    [line] = _lines(seeded, user["id"])
    assert (line[1]["password"], line[1]["memberships"]) == ("set", {str(call.team): "Team Agent"})
    assert line[1]["login_id"] == user["login_id"], line
    assert line[2:] == (
        *("created", "api", "access_token", f"HR of Team {call.team}", user["login_id"]),
        [call.team],
    )
    [(password,)] = query(seeded, "SELECT password FROM users_user WHERE id = %s", user["id"])
    assert password.startswith("md5$"), password
    again = _make(port, call)
    weak = _make(
        port, call, {**call.body, "login_id": "n", "email_id": "n@a.example", "password": "1"}
    )
    undefined = _make(port, call, {**call.body, "custom_attributes": {"undefined": 1}})
    assert all(400 <= refused[0] < 500 for refused in (again, weak, undefined))


def _check_bulk_update(port: int, seeded: Seeded) -> None:
    call = next(_calls(seeded, "bulk update"))
    call = call._replace(body={"users": call.body["users"][:5]})
    earlier = {item["id"]: _lines(seeded, item["id"]) for item in call.body["users"]}
    status, answer = _make(port, call)
    assert status == 200, answer
    for item, done in zip(call.body["users"], answer["response"]["users"], strict=True):
        assert (done["id"], done["status_code"]) == (item["id"], 4309), done
        assert done["response"]["job_description"] == item["job_description"], done
        assert done["response"]["custom_attributes"].items() >= item["custom_attributes"].items()
        *before, line = _lines(seeded, item["id"])
        assert before == earlier[item["id"]], "not one line in the history for each"
        assert line[1]["job_description"] == item["job_description"], line


_CHECKS = {
    "update": _check_update,
    "get": _check_get,
    "list": _check_list,
    "search": _check_search,
    "create": _check_create,
    "bulk update": _check_bulk_update,
}


def changes(seeded: Seeded) -> int:
    """Return how many changes the history holds."""
    [(number,)] = query(seeded, "SELECT count(*) FROM users_change")
    return number
