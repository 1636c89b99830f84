"""What a definition may be."""

import pytest
from django.core.exceptions import ValidationError

from users.models import AttributeDefinition


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
            {"choices": ["Each choice must be listed once. Listed several times: “a”."]},
        ),
        (
            {"type": "choice", "choices": ["a", 1]},
            {"choices": ["Choice 2: Must be a string, not a number."]},
        ),
        (
            {"type": "choice", "choices": [""]},
            {"choices": ["Choice 1: Must have 1 to 255 characters, and has 0."]},
        ),
        (
            {"type": "text", "choices": ["a"]},
            {
                "choices": [
                    "This type has no choices: clear them, or choose the type “one choice” or "
                    "“several choices”."
                ]
            },
        ),
        ({"labels": ["a"]}, {"labels": ["Must be an object, not a list."]}),
        ({"labels": {"de": "a"}}, {"labels": ["Must be an object, not a string."]}),
        ({"labels": {"de": {"": 1}}}, {"labels": ["Must be a string, not a number."]}),
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
