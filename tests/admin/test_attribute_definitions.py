"""The pages of attribute definitions."""

import pytest

from tests.admin.pages import errors, send
from tests.factories import UserFactory
from users.models import AttributeDefinition

LIST = "/admin/users/attributedefinition/"


def save(browser, definition, **changes):
    path = f"{LIST}{definition.pk}/change/"
    return send(browser, path, "attributedefinition_form", **changes)


@pytest.fixture
def holders(business):
    """Two users who hold "Retail", one who holds "Banking" under another name."""
    UserFactory.create_batch(2, custom_attributes={"business": "Retail"})
    UserFactory(custom_attributes={"other": "Banking"}, skill_attributes={"business": "Banking"})


def test_a_definition_is_made_with_a_choice_a_line(root_browser):
    send(
        root_browser,
        f"{LIST}add/",
        "attributedefinition_form",
        kind="skill",
        name="languages",
        type="multiple_choice",
        choices=" English \r\n\r\nDeutsch\r\n",
        description="Spoken",
    )
    assert AttributeDefinition.objects.get().choices == ["English", "Deutsch"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"choices": ""}, ["choices"]),
        ({"choices": "a\r\na"}, ["choices"]),
        ({"choices": "x" * 256}, ["choices"]),
        ({"type": "text"}, ["choices"]),
        ({"type": "other", "choices": ""}, ["type"]),
        ({"name": "x" * 65}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "business"}, ["__all__"]),
    ],
)
def test_a_definition_that_makes_no_sense_is_not_made(root_browser, business, changes, wrong):
    data = {"kind": "custom", "name": "floor", "type": "choice", "choices": "1\r\n2", **changes}
    response = send(root_browser, f"{LIST}add/", "attributedefinition_form", **data)
    assert list(errors(response)) == wrong
    assert AttributeDefinition.objects.count() == 1


def test_the_kind_and_name_are_fixed_once_made(root_browser, business):
    save(root_browser, business, kind="skill", name="unit", description="New")
    business.refresh_from_db()
    assert (business.kind, business.name, business.description) == ("custom", "business", "New")


def test_a_choice_that_users_hold_is_removed_after_saying_so(root_browser, business, holders):
    response = save(root_browser, business, choices="Banking\r\nTravel")
    sentence = "2 users hold “Retail”. It stays stored there, but is no longer allowed."
    assert errors(response) == {"confirmed": [sentence]}
    save(root_browser, business, choices="Banking\r\nTravel", confirmed="on")
    business.refresh_from_db()
    assert business.choices == ["Banking", "Travel"]


def test_a_choice_that_nobody_holds_is_removed_at_once(root_browser, business, holders):
    assert save(root_browser, business, choices="Retail").status_code == 302


def test_another_type_is_set_after_saying_how_many_hold_a_value(root_browser, business, holders):
    response = save(root_browser, business, type="text", choices="")
    sentence = "2 users hold “business”. It stays stored there, but is no longer allowed."
    assert errors(response) == {"confirmed": [sentence]}


@pytest.mark.parametrize("door", ["page", "list"])
def test_before_a_definition_is_deleted_the_page_says_how_many_hold_it(
    root_browser, business, holders, door
):
    if door == "page":
        page = root_browser.get(f"{LIST}{business.pk}/delete/")
    else:
        data = {"action": "delete_selected", "_selected_action": [business.pk]}
        page = root_browser.post(LIST, data)
    assert "“business” is held by 2 users: their values stay stored." in page.content.decode()


def test_a_deleted_definition_leaves_the_values(root_browser, business, holders):
    root_browser.post(f"{LIST}{business.pk}/delete/", {"post": "yes"})
    assert not AttributeDefinition.objects.exists()
    users = type(UserFactory.build()).objects.filter(custom_attributes={"business": "Retail"})
    assert users.count() == 2
