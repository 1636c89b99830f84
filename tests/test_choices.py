"""Renaming a choice for all users who have it."""

import pytest
from django.core.exceptions import ValidationError

from tests.database import forget_creations, stored
from tests.factories import ChoiceFactory, UserFactory
from users import choices
from users.models import Change

USING = "default"


@pytest.fixture
def languages(db):
    return ChoiceFactory(
        kind="skill", name="languages", type="multiple_choice", choices=["hi", "en", "de"]
    )


def holder(**attributes):
    user = UserFactory(**attributes)
    forget_creations()
    return user


def rename(definition, old, new, **options):
    count = choices.rename(definition.pk, old, new, USING, **options)
    definition.refresh_from_db()
    return count


def test_a_choice_is_renamed_in_its_place_and_for_all_who_have_it(business):
    user, other = (holder(custom_attributes={"business": name}) for name in business.choices)
    assert rename(business, "Retail", "Shops") == 1
    assert business.choices == ["Shops", "Banking"]
    assert stored(user).custom_attributes == {"business": "Shops"}
    assert stored(other).custom_attributes == {"business": "Banking"}


def test_a_choice_is_replaced_by_another(business):
    user = holder(custom_attributes={"business": "Retail", "other": 1})
    assert rename(business, "Retail", "Banking") == 1
    assert business.choices == ["Banking"]
    assert stored(user).custom_attributes == {"business": "Banking", "other": 1}


def test_a_list_has_the_new_choice_once_and_keeps_what_else_it_has(languages):
    user = holder(skill_attributes={"languages": ["en", "gone", "hi"]})
    rename(languages, "hi", "en")
    assert stored(user).skill_attributes == {"languages": ["en", "gone"]}


def test_values_of_other_types_in_a_list_stay_side_by_side(languages):
    user = holder(skill_attributes={"languages": [1, True, "hi", [], "x", "x"]})
    rename(languages, "hi", "en")
    assert stored(user).skill_attributes == {"languages": [1, True, "en", [], "x", "x"]}
    assert stored(user).skill_attributes["languages"][1] is True


def test_a_value_that_is_no_longer_allowed_is_replaced(business):
    user = holder(custom_attributes={"business": "Gone"})
    rename(business, "Gone", "Retail")
    assert stored(user).custom_attributes == {"business": "Retail"}
    assert business.choices == ["Retail", "Banking"]


def test_each_change_is_in_the_history(business):
    user = holder(custom_attributes={"business": "Retail"})
    rename(business, "Retail", "Shops")
    change = Change.objects.get(user_id=user.pk, action="updated")
    assert change.before == {"custom_attributes": {"business": "Retail"}}
    assert change.after == {"custom_attributes": {"business": "Shops"}}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Retail", "Retail", "Enter another name."),
        ("Gone", "New", "“Gone” is no longer a choice: replace it by one that is a choice."),
        ("Retail", "x" * 256, "Must have 1 to 255 characters"),
        ("Retail", "a\0b", "U+0000"),
    ],
)
def test_what_is_no_choice_changes_nothing(business, old, new, message):
    user = holder(custom_attributes={"business": "Retail"})
    with pytest.raises(ValidationError) as error:
        rename(business, old, new)
    assert message in " ".join(error.value.messages)
    business.refresh_from_db()
    assert business.choices == ["Retail", "Banking"]
    assert stored(user).custom_attributes == {"business": "Retail"}


def test_what_a_check_raises_undoes_everything(business, monkeypatch):
    monkeypatch.setattr(choices, "_BATCH", 1)
    users = [holder(custom_attributes={"business": "Retail"}) for _ in range(3)]

    def check(batch):
        if users[2] in batch:
            raise ValidationError("no")

    with pytest.raises(ValidationError):
        rename(business, "Retail", "Shops", check=check)
    business.refresh_from_db()
    assert business.choices == ["Retail", "Banking"]
    assert {stored(user).custom_attributes["business"] for user in users} == {"Retail"}


def test_batches_reach_all(business, monkeypatch):
    monkeypatch.setattr(choices, "_BATCH", 2)
    users = [holder(custom_attributes={"business": "Retail"}) for _ in range(5)]
    assert rename(business, "Retail", "Shops") == 5
    assert {stored(user).custom_attributes["business"] for user in users} == {"Shops"}


def test_a_label_moves_with_its_choice_and_goes_with_one_that_is_replaced(business):
    business.labels = {"de": {"": "Sparte", "Retail": "Handel", "Banking": "Bankwesen"}}
    business.save()
    rename(business, "Retail", "Shops")
    assert business.labels == {"de": {"": "Sparte", "Shops": "Handel", "Banking": "Bankwesen"}}
    rename(business, "Shops", "Banking")
    assert business.labels == {"de": {"": "Sparte", "Banking": "Bankwesen"}}
