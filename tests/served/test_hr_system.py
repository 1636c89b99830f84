"""An HR system that knows its people by their emails alone, and overwrites nobody's work."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.database import stored
from tests.factories import MembershipFactory


class HRSystem:
    """What such a system does, with the standard library alone.

    meanwhile: called once, between reading a user and updating it.
    """

    def __init__(self, url, headers, meanwhile):
        self.url = url
        self.headers = headers
        self.meanwhile = meanwhile
        self.codes = []

    def call(self, method, path, body=None, **headers):
        """Make a call; returns (what `response` holds, the `ETag`)."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**self.headers, "Content-Type": "application/json", **headers},
        )
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            envelope = json.loads(answer.read())
        self.codes.append(envelope["status_code"])
        return envelope["response"], answer.headers["ETag"]

    def find(self, email):
        query = urllib.parse.urlencode({"email_id": email})
        return self.call("GET", f"/api/users?{query}")[0]["users"]

    def rename_business(self, email, old, new):
        """Move the person to the business `new`, if they are in `old`; return True if moved."""
        for user in self.find(email):
            while True:
                path = f"/api/users/{user['id']}"
                user, tag = self.call("GET", path)
                if user["custom_attributes"].get("business") != old:
                    return False
                meanwhile, self.meanwhile = self.meanwhile, lambda: None
                meanwhile()
                change = {"custom_attributes": {"business": new}}
                self.call("PATCH", path, change, **{"If-Match": tag})
                if self.codes[-1] != 9412:
                    return self.codes[-1] == 4309
        return False


@pytest.fixture
def hr(server, call, team, business):
    MembershipFactory.create_batch(20, team=team)

    def start(meanwhile=lambda: None):
        return HRSystem(f"http://127.0.0.1:{server.port}", call.headers, meanwhile)

    return start


pytestmark = pytest.mark.django_db(transaction=True)


def test_it_finds_reads_and_updates(hr, user):
    system = hr()
    assert system.rename_business(user.email_id.upper(), "Retail", "Banking")
    assert system.codes == [4307, 4306, 4309]
    assert stored(user).custom_attributes == {"business": "Banking"}


def test_it_is_refused_where_somebody_was_faster_and_reads_again(hr, call, user):
    system = hr(lambda: call({"job_description": "Team lead"}))
    assert system.rename_business(user.email_id, "Retail", "Banking")
    assert system.codes == [4307, 4306, 9412, 4306, 4309]
    after = stored(user)
    assert after.custom_attributes == {"business": "Banking"}
    assert after.job_description == "Team lead"


def test_it_leaves_what_somebody_else_has_decided_meanwhile(hr, call, user):
    system = hr(lambda: call({"custom_attributes": {"business": None}}))
    assert not system.rename_business(user.email_id, "Retail", "Banking")
    assert system.codes == [4307, 4306, 9412, 4306]
    assert stored(user).custom_attributes == {}


def test_it_finds_nobody_by_an_unknown_email(hr):
    system = hr()
    assert not system.rename_business("nobody@desk.example", "Retail", "Banking")
    assert system.codes == [4307]
