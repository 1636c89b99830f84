"""The rules of a kind: which keys and how many it takes, and what is stored already."""

import pytest

from tests.assertions import assert_refused, assert_updated
from tests.database import store
from tests.factories import AttributeDefinitionFactory

UNDEFINED = "Must be a string, a number, a boolean, or a list of these"


def test_the_first_undefined_attribute_names_those_that_are_defined(call):
    for number in range(22):
        AttributeDefinitionFactory(name=f"attribute{number:02}")
    AttributeDefinitionFactory(kind="skill", name="a skill")
    listed = ", ".join(f"'attribute{number:02}'" for number in range(20))
    sentence = "Nobody has defined this attribute."
    assert_refused(
        call({"custom_attributes": {"one": 1, "other": 1}}),
        3115,
        {
            "custom_attributes": {
                "one": [f"{sentence} Defined are: {listed}, and 2 more."],
                "other": [sentence],
            }
        },
    )


def test_a_definition_of_the_other_kind_does_not_count(call):
    AttributeDefinitionFactory(kind="skill", name="floor")
    assert call({"custom_attributes": {"floor": "3"}}).json()["status_code"] == 3115


@pytest.mark.parametrize(
    "value", ["", "x" * 255, 0, -1.5, 2**53 - 1, True, False, [], ["x", 1, True, "x"], [0] * 50]
)
def test_an_undefined_skill_takes_scalars_and_lists_of_them(call, value):
    assert_updated(
        call({"skill_attributes": {"go": value}}), skill_attributes={"chess": 3, "go": value}
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, f"{UNDEFINED}, not an object."),
        ("x" * 256, "Must have at most 255 characters, and has 256."),
        (2**53, "Must be an integer within ±9007199254740991 (2^53 - 1)."),
        ([0] * 51, "Must have at most 50 items, and has 51."),
        ([[]], "Item 1: Must be a string, a number or a boolean, not a list."),
        (["x", None], "Item 2: Must be a string, a number or a boolean, not null."),
        (["x" * 256], "Item 1: Must have at most 255 characters, and has 256."),
        (["\0"], "Item 1: Must not contain the character U+0000."),
        ([2**60], "Item 1: Must be an integer within ±9007199254740991 (2^53 - 1)."),
    ],
)
def test_an_undefined_skill_takes_nothing_else(call, value, sentence):
    response = call({"skill_attributes": {"go": value}})
    assert_refused(response, 3115, {"skill_attributes": {"go": [sentence]}})


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("", "The key must have 1 to 64 characters, and has 0."),
        ("k" * 65, "The key must have 1 to 64 characters, and has 65."),
        ("a\0", "The key must not contain the character U+0000."),
        ("\udc00", "The key must not contain a lone surrogate."),
    ],
)
@pytest.mark.parametrize("kind", ["custom", "skill"])
def test_a_key_out_of_the_rules_is_refused(call, kind, key, sentence):
    name = f"{kind}_attributes"
    assert_refused(call({name: {key: 1}}), 3115, {name: {key: [sentence]}})


def test_a_key_out_of_the_rules_is_removed_without_judging_it(call, user):
    store(user, skill_attributes={"k" * 65: 1, "chess": 3})
    response = call({"skill_attributes": {"k" * 65: None, "x" * 1000: None, "": None}})
    assert_updated(response, skill_attributes={"chess": 3})


HUNDRED = {f"skill {n}": n for n in range(100)}


def test_an_object_takes_a_hundred_keys(call, user):
    response = call({"skill_attributes": HUNDRED}, "PUT")
    assert_updated(response, skill_attributes=HUNDRED)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_object_takes_no_more_once_merged(call, user, method):
    store(user, skill_attributes=HUNDRED)
    body = {"skill_attributes": HUNDRED | {"one more": 1}}
    sentence = "Must have at most 100 attributes, and would have 101."
    assert_refused(call(body, method), 3115, {"skill_attributes": [sentence]})


def test_too_many_keys_and_a_wrong_one_are_both_reported(call, user):
    body = {"skill_attributes": HUNDRED | {"one more": {}}}
    sentences = [
        "Must have at most 100 attributes, and would have 101.",
        f"'one more': {UNDEFINED}, not an object.",
    ]
    assert_refused(call(body, "PUT"), 3115, {"skill_attributes": sentences})


def test_a_change_that_does_not_raise_too_high_a_number_is_allowed(call, user):
    stored = HUNDRED | {"more": 1, "and more": 2}
    store(user, skill_attributes=stored)
    assert_updated(
        call({"skill_attributes": {"more": None, "another": 3}}),
        skill_attributes=HUNDRED | {"and more": 2, "another": 3},
    )


def test_a_value_sent_again_as_it_is_stored_is_not_judged(call, user, business):
    stale = {"business": "Bakery", "floor": [1, {"a": None}]}
    store(user, custom_attributes=stale)
    body = {"first_name": "Bruno", "custom_attributes": stale}
    assert_updated(call(body), first_name="Bruno", custom_attributes=stale)
    assert_updated(call(body, "PUT"), custom_attributes=stale)


def test_a_stale_value_blocks_no_update_of_another(call, user, business, location):
    store(user, custom_attributes={"business": "Bakery"})
    assert_updated(
        call({"custom_attributes": {"location": "Berlin"}}),
        custom_attributes={"business": "Bakery", "location": "Berlin"},
    )
