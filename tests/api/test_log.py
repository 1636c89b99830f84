"""The log of the calls."""

import json
import logging

import pytest

CHANGE = {"first_name": "Bruno"}


@pytest.fixture
def request_log(caplog):
    """The lines of the calls' own log, decoded."""
    logger = logging.getLogger("users.requests")
    logger.addHandler(caplog.handler)
    yield lambda: [json.loads(r.getMessage()) for r in caplog.records if r.name == "users.requests"]
    logger.removeHandler(caplog.handler)


@pytest.mark.django_db
def test_a_call_is_logged_in_a_line(call, user, team, request_log):
    response = call(CHANGE)
    [line] = request_log()
    assert line.pop("ms") > 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "code": 4309,
        "method": "PATCH",
        "user": user.pk,
        "team": team.pk,
        "token": "HR system",
        "trxid": response["trxid"],
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "logged"),
    [
        ({"headers": {"teamid": "0"}}, {"code": 2010, "team": None, "token": None}),
        ({"headers": {"Authorization": "Bearer x"}}, {"code": 2003, "team": None, "token": None}),
        ({"path": "/api/users/x%0Ay"}, {"code": 3101, "user": None, "token": "HR system"}),
        ({"method": "POST"}, {"code": 2099, "method": "POST"}),
    ],
)
def test_a_refused_call_is_logged_in_a_line(call, request_log, changes, logged):
    call(CHANGE, **changes)
    [line] = request_log()
    assert line.items() >= logged.items()
