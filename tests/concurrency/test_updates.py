"""Updates at the same moment, through a real server with two workers: nothing is lost.

Each answer says what the user was after its own update, and when that was (`updated_at`). So the
answers in the order of their times are the serial order that the database made of them, and
replaying the requests in that order has to give each answer.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.concurrency.calls import codes
from tests.factories import AttributeDefinitionFactory, ChoiceFactory
from users.attributes.values import merge
from users.models import AttributeDefinition, Membership

pytestmark = pytest.mark.django_db(transaction=True)


def assert_a_serial_order_explains(answers, skills):
    """Replay the successful `answers` on `skills` in the order of their times; returns the end."""
    done = [answer for answer in answers if answer[3]["status_code"] == 4309]
    for method, body, _, envelope in sorted(done, key=lambda a: a[3]["response"]["updated_at"]):
        patch = body.get("skill_attributes", {})
        replaces = method == "PUT" and "skill_attributes" in body
        skills = patch if replaces else merge(skills, patch)
        assert envelope["response"]["skill_attributes"] == skills
    return skills


def test_hundreds_of_merges_of_different_keys_all_stand(at_once, user):
    for n in range(98):
        AttributeDefinitionFactory(name=f"c{n}", type="number")
    requests = [
        ("PATCH", {f"{kind}_attributes": {f"{kind[0]}{n}": n}})
        for n in range(98)
        for kind in ("custom", "skill")
    ]
    assert codes(at_once(requests)) == {4309}
    user.refresh_from_db()
    assert user.custom_attributes == {"business": "Retail"} | {f"c{n}": n for n in range(98)}
    assert user.skill_attributes == {"chess": 3} | {f"s{n}": n for n in range(98)}


def test_puts_against_patches_end_in_a_serial_order(at_once, user):
    requests = []
    for n in range(60):  # each changes something: an answer's time is that of its own update
        requests.append(("PATCH", {"skill_attributes": {f"k{n % 7}": n, f"k{n % 5}x": None}}))
        requests.append(("PATCH", {"skill_attributes": {f"k{n % 5}x": n}}))
        if n % 4 == 0:
            requests.append(("PUT", {"skill_attributes": {"put": n}}))
    answers = at_once(requests)
    assert codes(answers) == {4309}
    end = assert_a_serial_order_explains(answers, user.skill_attributes)
    user.refresh_from_db()
    assert user.skill_attributes == end


def test_a_definition_that_changes_against_updates(at_once, user):
    business = ChoiceFactory(name="business", choices=["Retail", "Banking"])

    def redefine(n):
        choices = ["Retail", "Banking"] if n % 2 else ["Retail", "Travel"]
        AttributeDefinition.objects.filter(pk=business.pk).update(choices=choices)
        connection.close()

    requests = [
        ("PATCH", {"custom_attributes": {"business": choice}})
        for _ in range(40)
        for choice in ("Banking", "Travel", "Retail")
    ]
    with ThreadPoolExecutor(1) as pool:
        redefinitions = pool.map(redefine, range(100))
        answers = at_once(requests)
        list(redefinitions)
    assert codes(answers) <= {4309, 3107}
    assert 4309 in codes(answers)
    for _, body, _, envelope in answers:
        if envelope["status_code"] == 4309:
            assert envelope["response"]["custom_attributes"] == body["custom_attributes"]


def test_a_membership_that_is_removed_against_updates(at_once, user):
    def remove(_):
        Membership.objects.filter(user=user).delete()
        connection.close()

    requests = [("PATCH", {"skill_attributes": {f"k{n}": n}}) for n in range(60)]
    with ThreadPoolExecutor(1) as pool:
        removal = pool.map(remove, range(1))
        answers = at_once(requests)
        list(removal)
    assert codes(answers) <= {4309, 3101}
    acknowledged = {
        key: value
        for _, body, _, envelope in answers
        if envelope["status_code"] == 4309
        for key, value in body["skill_attributes"].items()
    }
    user.refresh_from_db()
    assert user.skill_attributes == {"chess": 3} | acknowledged
    assert codes(at_once(requests[:3])) == {3101}
