"""A skill that nobody has defined, added on a user's page."""

import pytest

from tests.admin.pages import errors, save_user
from tests.database import store, stored
from tests.factories import AttributeDefinitionFactory


def add(browser, user, name="climbing", type_="text", value="yes"):
    entered = {"new_skill_name": name, "new_skill_type": type_, "new_skill_value": value}
    return save_user(browser, user, **entered)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("text", "3", "3"),
        ("number", "3", 3),
        ("number", "-0.5", -0.5),
        ("boolean", "no", False),
        ("list", " hi, en ,", ["hi", "en"]),
    ],
)
def test_it_is_stored_as_its_type(root_browser, user, type_, text, value):
    assert add(root_browser, user, "new", type_, text).status_code == 302
    assert stored(user).skill_attributes == {"chess": 3, "new": value}


@pytest.mark.parametrize(
    ("name", "type_", "text", "field", "message"),
    [
        ("new", "number", "many", "new_skill_value", "Must be a number, not a string."),
        ("new", "number", "1e999", "new_skill_value", "Must be a finite number that a double"),
        ("new", "boolean", "perhaps", "new_skill_value", "Must be true or false, not a string."),
        ("new", "text", "x" * 256, "new_skill_value", "Must have at most 255 characters"),
        ("new", "list", ",".join("x" * 51), "new_skill_value", "Must have at most 50 items"),
        ("n" * 65, "text", "x", "new_skill_name", "at most 64 characters"),
        ("new", "text", "", "new_skill_value", "Enter the value of the skill, too."),
        ("", "text", "x", "new_skill_name", "Enter the name of the skill, too."),
        ("seniority", "text", "x", "new_skill_name", "This skill has a field of its own."),
        ("new", "huge", "x", "new_skill_type", "huge is not one of the available choices."),
    ],
)
def test_what_is_wrong_is_refused_at_its_field(
    root_browser, user, name, type_, text, field, message
):
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    found = errors(add(root_browser, user, name, type_, text))
    assert list(found) == [field]
    assert message in found[field][0]
    assert stored(user).skill_attributes == {"chess": 3}


def test_the_most_skills_are_no_more(root_browser, user):
    skills = {f"skill{number}": 1 for number in range(100)}
    store(user, skill_attributes=skills)
    found = errors(add(root_browser, user))
    assert "Must have at most 100 attributes" in found["__all__"][0]


def test_nothing_is_added_unasked(root_browser, user):
    assert save_user(root_browser, user, new_skill_type="number").status_code == 302
    assert stored(user).skill_attributes == {"chess": 3}
