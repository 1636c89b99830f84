"""Attribute values as JSON: which are the same, and how they are merged."""

import json
import sys

import pytest

from tests.assertions import assert_updated
from tests.database import store
from users.models import Change


def test_a_nested_merge_follows_the_rfc(call, user):
    store(user, skill_attributes={"stale": {"a": 1, "b": 2}})
    # What the merge makes of it is as it is stored, so that nothing is judged.
    assert_updated(
        call({"skill_attributes": {"stale": {"a": 1, "c": None}}}),
        skill_attributes={"stale": {"a": 1, "b": 2}},
    )


@pytest.mark.parametrize(("stored", "sent"), [(1, True), (True, 1), (0, False), ([1], [True])])
def test_a_boolean_is_not_the_number_that_is_stored(call, user, stored, sent):
    store(user, skill_attributes={"it": stored})
    response = call({"skill_attributes": {"it": sent}})
    assert json.dumps(response.json()["response"]["skill_attributes"]) == json.dumps({"it": sent})
    user.refresh_from_db()
    assert json.dumps(user.skill_attributes) == json.dumps({"it": sent})


def test_a_large_double_sent_again_changes_nothing(call, user):
    call({"skill_attributes": {"it": 1e300}})
    updated_at = type(user).objects.get(pk=user.pk).updated_at
    assert_updated(call({"skill_attributes": {"it": 1e300}}))
    user.refresh_from_db()
    assert (user.updated_at, user.skill_attributes["it"]) == (updated_at, 1e300)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_no_double_can_hold_is_answered_changed_and_recorded(call, user, sign):
    store(user, skill_attributes={"it": sign * 10**400})
    largest = sign * sys.float_info.max
    assert call(method="GET").json()["response"]["skill_attributes"] == {"it": largest}
    assert_updated(call({"skill_attributes": {"it": None}}), skill_attributes={})
    assert Change.objects.latest("id").before == {"skill_attributes": {"it": largest}}
