"""The served project before python-scim's own checker of servers."""

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    issue_token,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_checker_finds_no_error(server, scim_team, monkeypatch):
    # Of all that it could choose by chance, the first: an email is always shown as the primary one.
    monkeypatch.setattr("scim2_tester.filling.random.choice", lambda choices: choices[0])
    ChoiceFactory(name="business")
    # No number: the checker sends a text for each decimal, which its own models refuse.
    AttributeDefinitionFactory(kind="skill", name="night", type="boolean")
    MembershipFactory(team=scim_team)
    http = httpx2.Client(
        base_url=f"http://127.0.0.1:{server.port}/scim/v2",
        headers={"Authorization": f"Bearer {issue_token(scim_team=scim_team)}"},
    )
    with http:
        results = check_server(SyncSCIMClient(http))
    found = [
        (result.status.name, result.title, result.reason)
        for result in results
        if result.status not in (Status.SUCCESS, Status.SKIPPED)
    ]
    assert found == []
    assert len(results) > 50
