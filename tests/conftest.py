import json

import pytest
from django.test import Client

from tests.database import forget_creations
from tests.factories import ChoiceFactory, MembershipFactory, TeamFactory, UserFactory, issue_token
from tests.server import Server


@pytest.fixture
def team(db):
    return TeamFactory()


@pytest.fixture
def user(team):
    """A member of `team`, with something stored in every parameter of the call."""
    user = UserFactory(
        job_description="Agent",
        custom_attributes={"business": "Retail"},
        skill_attributes={"chess": 3},
    )
    MembershipFactory(user=user, team=team)
    forget_creations()
    return user


@pytest.fixture
def business(db):
    return ChoiceFactory(name="business")


@pytest.fixture
def location(db):
    return ChoiceFactory(name="location", choices=["Berlin", "Mumbai"])


@pytest.fixture
def token(team):
    return issue_token(team)


class Caller:
    """A system that makes the call: valid unless a test says otherwise."""

    def __init__(self, user, team, token):
        self.client = Client(raise_request_exception=False)
        self.path = f"/api/users/{user.pk}"
        self.headers = {"Authorization": f"Bearer {token}", "teamid": str(team.pk)}

    def __call__(
        self,
        body=b"",
        method="PATCH",
        *,
        path=None,
        headers=None,
        content_type="application/json",
    ):
        """Make the call; a header that is None is left out, a body that is no bytes is dumped."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**self.headers, **(headers or {})}
        return self.client.generic(
            method,
            path or self.path,
            content,
            content_type=content_type,
            headers={name: value for name, value in sent.items() if value is not None},
        )


@pytest.fixture
def call(user, team, token):
    return Caller(user, team, token)


@pytest.fixture
def server(tmp_path, db):
    with Server(tmp_path / "server.log") as server:
        yield server


@pytest.fixture
def at_once(monkeypatch):
    """Do in the test's own thread, and at once, what an answer would not wait for."""
    monkeypatch.setattr("users.background.run", lambda function, *arguments: function(*arguments))
