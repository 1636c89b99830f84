"""The app plugged into another project, whose own settings must not reach the call."""

import json
from datetime import UTC, datetime

import pytest

from tests.hosts import Host


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the host's callers are answered, by name: [HTTP status, content type, envelope]."""
    host = Host(tmp_path_factory.mktemp("project"), "opposed_settings")
    host.manage("migrate", "--verbosity=0")
    return json.loads(host.run("calls.py").stdout)


def test_the_call_succeeds(answers):
    status, content_type, envelope = answers["success"]
    assert (status, content_type, envelope["status_code"]) == (200, "application/json", 4309)
    assert envelope["response"]["first_name"] == "Zoë"


def test_moments_are_in_utc(answers):
    moment = answers["success"][2]["response"]["updated_at"]
    assert moment.endswith("Z")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 600


@pytest.mark.parametrize(
    ("name", "status", "number", "errors"),
    [
        ("invalid", 400, 3115, {"status": ["Must be one of: 'active', 'inactive'."]}),
        ("token", 400, 2003, None),
        ("headers", 400, 2002, {"teamid": ["This header is required."]}),
        ("unforeseen", 500, 2007, None),
    ],
)
def test_a_refusal_is_the_documented_one(answers, name, status, number, errors):
    http_status, content_type, envelope = answers[name]
    assert (http_status, content_type) == (status, "application/json")
    assert envelope["status_code"] == number
    assert envelope["response"] == ({"errors": errors} if errors else {})


def test_the_unforeseen_is_undone(answers):
    assert answers["first_name"] == "Zoë"
