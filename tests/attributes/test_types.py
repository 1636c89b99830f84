"""The values that each type of attribute takes."""

import json

import pytest

from tests.assertions import assert_refused, assert_updated
from tests.factories import AttributeDefinitionFactory

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
