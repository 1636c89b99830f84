"""What an HR system does that knows its people by their emails alone."""

import pytest

from tests.assertions import TABLE
from tests.database import stored
from tests.factories import MembershipFactory, UserFactory

TRANSFERS = {
    "ASHA.RAO@desk.example": {"job_description": "Team lead", "status": "active"},
    "nobody@desk.example": {"job_description": "Agent"},
    "bo@desk.example": {"custom_attributes": {"business": "Banking"}},
}


class HRSystem:
    """Transfers people: finds each by the email, reads, and updates what it has read.

    meanwhile: called between reading and updating, as others are who change users too.
    """

    def __init__(self, call, meanwhile):
        self.call, self.meanwhile = call, meanwhile
        self.log = []

    def transfer(self, email, changes):
        page = self.ask("GET", f"/api/users?email_id={email}")["response"]
        for user in page["users"]:
            path = f"/api/users/{user['id']}"
            code = 9412
            while code == 9412:
                self.ask("GET", path)
                tag = self.answer["ETag"]
                self.meanwhile(user["id"])
                code = self.ask("PATCH", path, changes, {"If-Match": tag})["status_code"]

    def ask(self, method, path, body=b"", headers=None):
        self.answer = self.call(body, method, path=path, headers=headers)
        envelope = self.answer.json()
        assert self.answer.status_code == TABLE[envelope["status_code"]].http_status
        self.log.append(envelope["status_code"])
        return envelope


@pytest.fixture
def people(team, business):
    asha = UserFactory(email_id="asha.rao@desk.example", job_description="Agent")
    bo = UserFactory(email_id="Bo@desk.example")
    for person in (asha, bo):
        MembershipFactory(user=person, team=team)
    return asha, bo


def test_it_finds_reads_and_updates_and_again_where_somebody_was_faster(call, people):
    asha, bo = people
    edits = iter([{"last_name": "Rao-Smith"}])

    def edit_once(user_id):
        if user_id == asha.pk and (edit := next(edits, None)):
            call(edit, path=f"/api/users/{user_id}")

    system = HRSystem(call, edit_once)
    for email, changes in TRANSFERS.items():
        system.transfer(email, changes)
    assert system.log == [
        *(4307, 4306, 9412, 4306, 4309),  # Asha, whom somebody edited meanwhile
        4307,  # nobody
        *(4307, 4306, 4309),  # Bo
    ]
    assert (stored(asha).job_description, stored(asha).last_name) == ("Team lead", "Rao-Smith")
    assert stored(bo).custom_attributes == {"business": "Banking"}
