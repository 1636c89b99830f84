"""Attribute objects: what the call makes of them, and what each definition takes."""

import json

import pytest
from django.core.exceptions import ValidationError

from tests.assertions import assert_refused, assert_updated
from tests.factories import AttributeDefinitionFactory
from users.models import AttributeDefinition

UNDEFINED = "Must be a string, a number, a boolean, or a list of these"


def store(user, **fields):
    type(user).objects.filter(pk=user.pk).update(**fields)


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


def test_a_nested_merge_follows_the_rfc(call, user):
    store(user, skill_attributes={"stale": {"a": 1, "b": 2}})
    # What the merge makes of it is as it is stored, so that nothing is judged.
    assert_updated(
        call({"skill_attributes": {"stale": {"a": 1, "c": None}}}),
        skill_attributes={"stale": {"a": 1, "b": 2}},
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


def test_a_skill_named_business_is_none_of_the_two(call):
    AttributeDefinitionFactory(kind="skill", name="business", type="number")
    assert call({"skill_attributes": {"business": "x"}}).json()["status_code"] == 3115


def test_an_error_of_another_parameter_calls_for_3115(call, business):
    response = call({"custom_attributes": {"business": 1}, "status": "away"})
    assert response.json()["status_code"] == 3115


def test_a_definition_of_the_other_kind_does_not_count(call):
    AttributeDefinitionFactory(kind="skill", name="floor")
    assert call({"custom_attributes": {"floor": "3"}}).json()["status_code"] == 3115


CHOICES = {"choices": ["one", "two", "1"]}
TYPES = {
    "text": {},
    "number": {},
    "boolean": {},
    "choice": CHOICES,
    "multiple_choice": CHOICES,
}
VALID = [
    ("text", ""),
    ("text", " x "),
    ("text", "𝄞" * 255),
    ("number", 0),
    ("number", -1.5),
    ("number", 2**53 - 1),
    ("number", -(2**53) + 1),
    ("number", 1e300),
    ("number", 5e-324),
    ("boolean", True),
    ("boolean", False),
    ("choice", "two"),
    ("choice", "1"),
    ("multiple_choice", []),
    ("multiple_choice", ["two", "one"]),
]


@pytest.mark.parametrize("kind", ["custom", "skill"])
@pytest.mark.parametrize(("type_", "value"), VALID)
def test_a_value_that_its_definition_allows_is_stored(call, user, kind, type_, value):
    AttributeDefinitionFactory(kind=kind, name="it", type=type_, **TYPES[type_])
    name = f"{kind}_attributes"
    stored = getattr(user, name) | {"it": value}
    assert_updated(call({name: {"it": value}}), **{name: stored})
    user.refresh_from_db()
    assert json.dumps(getattr(user, name)["it"]) == json.dumps(value)


INVALID = [
    ("text", 1, "Must be a string, not a number."),
    ("text", True, "Must be a string, not a boolean."),
    ("text", ["x"], "Must be a string, not a list."),
    ("text", {"x": 1}, "Must be a string, not an object."),
    ("text", "x" * 256, "Must have at most 255 characters, and has 256."),
    ("text", "\0", "Must not contain the character U+0000."),
    ("text", "\ud83d", "Must not contain a lone surrogate."),
    ("number", "1", "Must be a number, not a string."),
    ("number", True, "Must be a number, not a boolean."),
    ("number", 2**53, "Must be an integer within ±9007199254740991 (2^53 - 1)."),
    ("number", -(2**53), "Must be an integer within ±9007199254740991 (2^53 - 1)."),
    ("number", 10**350, "Must be an integer within ±9007199254740991 (2^53 - 1)."),
    ("boolean", 1, "Must be true or false, not a number."),
    ("boolean", "true", "Must be true or false, not a string."),
    ("choice", "three", "Must be one of: 'one', 'two', '1'."),
    ("choice", "One", "Must be one of: 'one', 'two', '1'."),
    ("choice", "", "Must be one of: 'one', 'two', '1'."),
    ("choice", 1, "Must be a string, not a number."),
    ("choice", ["one"], "Must be a string, not a list."),
    ("multiple_choice", "one", "Must be a list of strings, not a string."),
    ("multiple_choice", ["one", "one"], "Must not hold the same choice twice."),
    ("multiple_choice", ["one", 1], "Item 2: Must be a string, not a number."),
    ("multiple_choice", ["one", ["one"]], "Item 2: Must be a string, not a list."),
    ("multiple_choice", ["three"], "Item 1: Must be one of: 'one', 'two', '1'."),
    ("multiple_choice", [None], "Item 1: Must be a string, not null."),
    ("multiple_choice", ["one"] * 51, "Must have at most 50 items, and has 51."),
]


@pytest.mark.parametrize("kind", ["custom", "skill"])
@pytest.mark.parametrize(("type_", "value", "sentence"), INVALID)
def test_a_value_that_its_definition_does_not_allow_is_refused(call, kind, type_, value, sentence):
    AttributeDefinitionFactory(kind=kind, name="it", type=type_, **TYPES[type_])
    name = f"{kind}_attributes"
    assert_refused(call({name: {"it": value}}), 3115, {name: {"it": [sentence]}})


@pytest.mark.parametrize("literal", ["1e400", "-1e400", "1" * 400, "-" + "9" * 10_000])
def test_a_number_beyond_a_double_is_refused_at_its_attribute(call, literal):
    AttributeDefinitionFactory(name="business", type="number")
    body = f'{{"custom_attributes": {{"business": {literal}}}}}'
    sentence = "Must be a finite number that a double can hold."
    assert_refused(call(body.encode()), 3107, {"custom_attributes": {"business": [sentence]}})


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


def test_thousands_of_keys_are_answered(call):
    body = {"skill_attributes": {f"k{n}": None for n in range(60_000)}}
    assert_updated(call(body), skill_attributes={"chess": 3})


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"type": "choice", "choices": []}, {"choices": ["This type needs at least one choice."]}),
        (
            {"type": "choice", "choices": "ab"},
            {"choices": ["Must be a list of strings, not a string."]},
        ),
        (
            {"type": "choice", "choices": ["a", "a"]},
            {"choices": ["Each choice must stand here once."]},
        ),
        (
            {"type": "choice", "choices": ["a", 1]},
            {"choices": ["Each choice: Must be a string, not a number."]},
        ),
        (
            {"type": "choice", "choices": [""]},
            {"choices": ["Each choice: Must have 1 to 255 characters, and has 0."]},
        ),
        (
            {"type": "text", "choices": ["a"]},
            {"choices": ["Only the types with choices take any."]},
        ),
        ({"name": "a\0"}, {"name": ["The key must not contain the character U+0000."]}),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(db, fields, errors):
    definition = AttributeDefinition(**{"kind": "custom", "name": "floor", "type": "text"} | fields)
    with pytest.raises(ValidationError) as raised:
        definition.full_clean()
    assert raised.value.message_dict == errors


@pytest.mark.parametrize(("field", "value"), [("kind", "skill"), ("name", "unit")])
@pytest.mark.parametrize("door", ["full_clean", "save"])
def test_a_definition_keeps_its_kind_and_name(business, field, value, door):
    was = getattr(business, field)
    setattr(business, field, value)
    with pytest.raises(ValidationError) as raised:
        getattr(business, door)()
    assert raised.value.message_dict == {field: [f"Does not change once made (it is '{was}')."]}
