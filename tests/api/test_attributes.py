"""What the call does with an attribute object, and the code of its errors."""

import pytest

from tests.assertions import assert_refused, assert_updated
from tests.database import store
from tests.factories import AttributeDefinitionFactory

UNDEFINED = "Must be a string, a number, a boolean, or a list of these"


def test_patch_merges(call, user, business):
    store(user, custom_attributes={"business": "Retail", "gone": 1, "stays": {"stale": True}})
    assert_updated(
        call({"custom_attributes": {"business": "Banking", "gone": None, "never": None}}),
        custom_attributes={"business": "Banking", "stays": {"stale": True}},
    )


def test_put_replaces(call, user, business):
    store(user, custom_attributes={"gone": 1, "stays": "stale"})
    assert_updated(
        call({"custom_attributes": {"business": "Banking", "stays": "stale"}}, "PUT"),
        custom_attributes={"business": "Banking", "stays": "stale"},
    )


def test_put_with_an_empty_object_removes_all(call, user):
    assert_updated(call({"skill_attributes": {}}, "PUT"), skill_attributes={})


def test_patch_with_an_empty_object_removes_nothing(call, user):
    assert_updated(call({"skill_attributes": {}}), skill_attributes={"chess": 3})


def test_a_null_is_an_invalid_value_for_put(call, business, location):
    assert_refused(
        call({"custom_attributes": {"business": None}}, "PUT"),
        3107,
        {"custom_attributes": {"business": ["Must be a string, not null."]}},
    )
    assert_refused(
        call({"skill_attributes": {"chess": None}}, "PUT"),
        3115,
        {"skill_attributes": {"chess": [f"{UNDEFINED}, not null."]}},
    )


@pytest.mark.parametrize(
    ("custom_attributes", "number"),
    [
        ({"business": 1}, 3107),
        ({"location": 1}, 3110),
        ({"business": 1, "location": 1}, 3107),
        ({"business": "Retail", "location": 1}, 3110),
        ({"location": 1, "floor": 1}, 3115),
        ({"business": 1, "floor": 1}, 3115),
        ({"floor": 1}, 3115),
    ],
)
def test_the_code_says_which_attribute_is_wrong(
    call, business, location, custom_attributes, number
):
    assert call({"custom_attributes": custom_attributes}).json()["status_code"] == number


@pytest.mark.parametrize(("name", "number"), [("business", 3107), ("location", 3110)])
def test_an_undefined_attribute_with_a_code_of_its_own_has_that_code(call, name, number):
    errors = {"custom_attributes": {name: ["Nobody has defined this attribute."]}}
    assert_refused(call({"custom_attributes": {name: "x"}}), number, errors)


def test_a_skill_named_business_is_none_of_the_two(call):
    AttributeDefinitionFactory(kind="skill", name="business", type="number")
    assert call({"skill_attributes": {"business": "x"}}).json()["status_code"] == 3115


def test_an_error_of_another_parameter_calls_for_3115(call, business):
    response = call({"custom_attributes": {"business": 1}, "status": "away"})
    assert response.json()["status_code"] == 3115


def test_thousands_of_keys_are_answered(call):
    body = {"skill_attributes": {f"k{n}": None for n in range(60_000)}}
    assert_updated(call(body), skill_attributes={"chess": 3})
