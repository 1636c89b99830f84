"""What a call leaves in the history, and the identifier that its answer bears."""

import re

import pytest

from users.models import Change


@pytest.mark.parametrize("body", [{"first_name": "Bruno"}, b"", b"{"])
def test_every_answer_bears_an_identifier_of_its_own_and_is_not_to_be_kept(call, body):
    one, other = call(body), call(body)
    assert re.fullmatch(r"[0-9a-f-]{36}", one["trxid"])
    assert one["trxid"] != other["trxid"]
    assert one["Cache-Control"] == "no-store"


def test_an_update_is_in_the_history_with_its_token_and_its_identifier(call, user, team):
    response = call({"first_name": "Bruno", "skill_attributes": {"chess": 4}})
    change = Change.objects.latest("id")
    assert (change.user_id, change.action, change.door) == (user.pk, "updated", "api")
    assert (change.by_type, change.by_name, change.trxid) == (
        "access_token",
        "HR system",
        response["trxid"],
    )
    assert change.before == {"first_name": "Asha", "skill_attributes": {"chess": 3}}
    assert change.after == {"first_name": "Bruno", "skill_attributes": {"chess": 4}}
    assert change.teams == [team.pk]


def test_a_refused_update_leaves_no_line_in_the_history(call, user):
    number = Change.objects.count()
    call({"first_name": "Bruno", "status": "away"})
    call({"first_name": user.first_name})
    assert Change.objects.count() == number
