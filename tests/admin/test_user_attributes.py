"""The attributes on a user's page: a field for each definition."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import JSONField, Value

from tests.admin.conftest import browser_of
from tests.admin.pages import errors, save_user, user_page
from tests.assertions import assert_updated
from tests.database import stored
from tests.factories import AdministratorFactory, AttributeDefinitionFactory, ChoiceFactory
from users.models import AttributeDefinition

User = get_user_model()


def test_each_definition_is_a_field_of_its_own(root_browser, user, business):
    page = root_browser.get(user_page(user)).content.decode()
    assert f'<select name="custom_{business.pk}"' in page
    assert 'name="custom_attributes"' not in page
    assert 'name="skill_attributes"' not in page


def test_a_choice_with_a_line_break_is_stored_as_it_is_defined(root_browser, user):
    one = ChoiceFactory(kind="skill", name="one", choices=["a\nb", "c"])
    many = ChoiceFactory(kind="skill", name="many", type="multiple_choice", choices=["d\re"])
    sent = {f"skill_{one.pk}": "a\r\nb", f"skill_{many.pk}": ["d\r\ne"]}
    assert save_user(root_browser, user, **sent).status_code == 302
    assert stored(user).skill_attributes == {"chess": 3, "one": "a\nb", "many": ["d\re"]}


TYPES = [
    ("text", " two\nlines ", " two\nlines "),
    ("number", "3", 3),
    ("number", "-2.5", -2.5),
    ("number", "1e3", 1000.0),
    ("boolean", "True", True),
    ("boolean", "False", False),
    ("choice", "Banking", "Banking"),
    ("multiple_choice", ["Retail", "Banking"], ["Retail", "Banking"]),
]


@pytest.mark.parametrize(("type_", "typed", "value"), TYPES)
@pytest.mark.parametrize("kind", ["custom", "skill"])
def test_a_value_is_stored_as_its_type(root_browser, user, kind, type_, typed, value):
    definition = ChoiceFactory(kind=kind, name="it", type=type_)
    assert save_user(root_browser, user, **{f"{kind}_{definition.pk}": typed}).status_code == 302
    held = getattr(stored(user), f"{kind}_attributes")["it"]
    assert (held, type(held)) == (value, type(value))


@pytest.mark.parametrize(("type_", "typed", "value"), TYPES)
def test_an_emptied_field_removes_the_attribute(root_browser, user, type_, typed, value):
    definition = ChoiceFactory(kind="skill", name="it", type=type_)
    User.objects.filter(pk=user.pk).update(skill_attributes={"it": value, "chess": 3})
    emptied = None if type_ == "multiple_choice" else ""
    save_user(root_browser, user, **{f"skill_{definition.pk}": emptied})
    assert stored(user).skill_attributes == {"chess": 3}


@pytest.mark.parametrize(
    ("type_", "typed", "sentence"),
    [
        ("number", "many", "Enter a number."),
        ("number", "1e400", "Enter a number."),
        ("number", "1_000", "Enter a number."),
        ("number", "9007199254740992", "Must be an integer within ±9007199254740991 (2^53 - 1)."),
        ("number", "9" * 350, "Enter a number."),
        ("number", "9" * 5000, "Enter a number."),
        ("boolean", "maybe", "Select a valid choice. maybe is not one of the available choices."),
        ("choice", "Bakery", "Select a valid choice. Bakery is not one of the available choices."),
        (
            "multiple_choice",
            ["Retail", "Bakery"],
            "Select a valid choice. Bakery is not one of the available choices.",
        ),
        ("text", "x" * 256, "Ensure this value has at most 255 characters (it has 256)."),
        ("text", "a\0b", "Null characters are not allowed."),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(root_browser, user, type_, typed, sentence):
    definition = ChoiceFactory(kind="skill", name="it", type=type_)
    response = save_user(
        root_browser, user, **{f"skill_{definition.pk}": typed, "first_name": "Zoë"}
    )
    assert errors(response) == {f"skill_{definition.pk}": [sentence]}
    assert (stored(user).first_name, stored(user).skill_attributes) == ("Asha", {"chess": 3})


def test_too_many_attributes_are_refused_above_the_form(root_browser, user):
    definition = AttributeDefinitionFactory(kind="skill", name="it")
    User.objects.filter(pk=user.pk).update(skill_attributes={f"k{n}": n for n in range(100)})
    response = save_user(root_browser, user, **{f"skill_{definition.pk}": "x"})
    sentence = "Must have at most 100 attributes, and would have 101."
    assert errors(response) == {"__all__": [sentence]}


def test_what_no_definition_allows_is_shown_and_stays(root_browser, user, business):
    User.objects.filter(pk=user.pk).update(custom_attributes={"business": "Bakery", "floor": [1]})
    page = root_browser.get(user_page(user)).content.decode()
    assert "business: Bakery (no longer allowed:" in page
    assert "floor: 1" in page
    assert "chess: 3" in page
    save_user(root_browser, user, first_name="Zoë")
    assert stored(user).custom_attributes == {"business": "Bakery", "floor": [1]}
    assert stored(user).first_name == "Zoë"


def test_what_no_definition_allows_can_be_removed(root_browser, user, business):
    odd = "line\nbreak & <b>"
    User.objects.filter(pk=user.pk).update(
        custom_attributes={"business": "Bakery"}, skill_attributes={odd: 1, "chess": 3}
    )
    options = root_browser.get(user_page(user)).context["adminform"].form
    choices = options.fields["remove_skill_attributes"].choices
    [value] = [value for value, text in choices if odd in text]
    save_user(
        root_browser, user, remove_custom_attributes=["business"], remove_skill_attributes=[value]
    )
    assert stored(user).custom_attributes == {}
    assert stored(user).skill_attributes == {"chess": 3}


def test_keys_that_an_earlier_version_took_break_no_page(root_browser, call, user):
    if connection.vendor != "sqlite":
        pytest.skip("Other databases never took them.")
    odd = {"\ud800": 1, "a": ["😀", "\udfff"]}
    type(user).objects.update(skill_attributes=Value(odd, JSONField()))
    assert "?: 1" in root_browser.get(user_page(user)).content.decode()
    assert save_user(root_browser, user, first_name="Zoë").status_code == 302
    assert_updated(call({"last_name": "R"}), skill_attributes={"?": 1, "a": ["😀", "?"]})
    save_user(root_browser, user, remove_skill_attributes=["%3F"])
    assert stored(user).skill_attributes == {"a": ["😀", "?"]}


def test_a_user_is_saved_where_there_are_500_definitions(root_browser, user):
    AttributeDefinition.objects.bulk_create(
        AttributeDefinitionFactory.build(
            kind=kind, name=f"a{n}", type="choice" if n % 2 else "text", choices=["x"][: n % 2]
        )
        for n in range(250)
        for kind in ("custom", "skill")
    )
    last = AttributeDefinition.objects.latest("pk")
    response = save_user(root_browser, user, first_name="Zoë", **{f"skill_{last.pk}": "x"})
    assert response.status_code == 302
    assert (stored(user).first_name, stored(user).skill_attributes[last.name]) == ("Zoë", "x")


def test_the_answer_of_the_call_shows_what_the_form_saved(root_browser, call, user, business):
    save_user(root_browser, user, **{f"custom_{business.pk}": "Banking"})
    assert_updated(call({"last_name": "R"}), custom_attributes={"business": "Banking"})


def test_a_view_only_administrator_sees_the_attributes(user, business):
    viewer = AdministratorFactory()
    viewer.user_permissions.add(Permission.objects.get(codename="view_user"))
    page = browser_of(viewer).get(user_page(user))
    assert "business: Retail" in page.content.decode()
    assert b"<select" not in page.content
