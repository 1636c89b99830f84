"""`full_clean()` validates as the call does."""

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from tests.factories import ChoiceFactory

User = get_user_model()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"custom_attributes": {"business": "Bakery", "floor": 1}},
            {
                "custom_attributes": [
                    "'business': Must be one of: 'Retail', 'Banking'.",
                    "'floor': Nobody has defined this attribute. Defined are: 'business'.",
                ]
            },
        ),
        (
            {"skill_attributes": {"go": {}}},
            {
                "skill_attributes": [
                    "'go': Must be a string, a number, a boolean, or a list of these, "
                    "not an object."
                ]
            },
        ),
        ({"skill_attributes": []}, {"skill_attributes": ["Must be an object, not a list."]}),
        ({"first_name": "\0"}, {"first_name": ["Must not contain the character U+0000."]}),
        ({"last_name": "\ud800"}, {"last_name": ["Must not contain a lone surrogate."]}),
    ],
)
def test_full_clean_refuses_what_the_call_refuses(user, fields, error):
    ChoiceFactory(name="business")
    for name, value in fields.items():
        setattr(user, name, value)
    with pytest.raises(ValidationError) as raised:
        user.full_clean()
    assert raised.value.message_dict == error


def test_full_clean_takes_what_the_call_takes(user):
    ChoiceFactory(name="business")
    user.custom_attributes = {"business": "Retail"}
    user.skill_attributes = {"go": [1, True]}
    user.full_clean()


def test_full_clean_lets_a_stale_value_stay(user):
    User.objects.filter(pk=user.pk).update(custom_attributes={"business": "Bakery"})
    user.refresh_from_db()
    user.first_name = "Bruno"
    user.full_clean()


def test_full_clean_names_what_is_missing():
    with pytest.raises(ValidationError) as raised:
        User(login_id=None, email_id=None).clean_fields()
    assert {"first_name", "login_id", "email_id", "password"} <= raised.value.message_dict.keys()
