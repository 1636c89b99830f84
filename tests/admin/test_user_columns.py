"""The columns of the list of users, which each operator chooses."""

import pytest
from django.contrib.auth import get_user_model

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.admin.attribute_fields import definition_field_name
from users.models import ListColumns

User = get_user_model()
COLUMNS = f"{USERS}columns/"


def shown(browser):
    """Return the names of the columns that the list has."""
    columns = browser.get(USERS).context["cl"].list_display[1:]
    return [column.__name__ if callable(column) else column for column in columns]


def cells(page, name):
    """Return what stands in a column."""
    return [part.split("</t")[0] for part in page.content.decode().split(f'field-{name}">')[1:]]


def test_business_and_location_are_columns_from_the_first(root_browser, business, location):
    ChoiceFactory(name="area")
    columns = shown(root_browser)
    assert columns[:3] == ["name", "login_id", "email_id"]
    assert [name for name in columns if name.startswith("custom_")] == [
        definition_field_name(business),
        definition_field_name(location),
    ]


def test_what_an_operator_chooses_is_kept(root_browser, superuser):
    skill = AttributeDefinitionFactory(kind="skill", name="languages")
    name = definition_field_name(skill)
    response = root_browser.post(COLUMNS, {"column": ["id", "name", name], "query": "q=a&o=1"})
    assert (response.status_code, response["Location"]) == (302, f"{USERS}?q=a&o=1")
    assert set(shown(root_browser)) == {"id", "name", name}
    assert set(shown(browser_of(superuser))) == {"id", "name", name}


def test_the_columns_stand_in_the_order_that_the_operator_chose(root_browser):
    root_browser.post(COLUMNS, {"column": ["email_id", "id", "name", "id"]})
    assert shown(root_browser) == ["email_id", "id", "name"]
    choices = root_browser.get(USERS).context["column_choices"]
    assert [each.name for each in choices][:4] == ["email_id", "id", "name", "login_id"]


def test_an_address_sorts_by_the_same_column_whatever_columns_are_shown(root_browser):
    UserFactory(login_id="b", email_id="1@desk.example")
    UserFactory(login_id="a", email_id="2@desk.example")
    page = root_browser.get(USERS, {"q": "@desk.example"}).content.decode()
    assert "o=email_id" in page
    for columns in (["id", "email_id"], ["email_id"], []):
        root_browser.post(COLUMNS, {"column": columns})
        users = root_browser.get(f"{USERS}?o=-email_id").context["cl"].result_list
        emails = [user.email_id for user in users]
        assert emails == sorted(emails, reverse=True)


@pytest.mark.parametrize("order", ["email_id", "-email_id.name", "-", ".", "x", "99", "-99", "²"])
def test_an_order_by_a_column_that_is_not_shown_is_left_out(root_browser, order):
    root_browser.post(COLUMNS, {"column": ["id"]})
    UserFactory(login_id="a", email_id="z@desk.example")
    UserFactory(login_id="b", email_id="a@desk.example")
    users = root_browser.get(USERS, {"o": order}).context["cl"].result_list
    assert [user.login_id for user in users][:2] == ["a", "b"]


def test_another_operator_keeps_theirs(root_browser):
    root_browser.post(COLUMNS, {"column": ["id"]})
    other = AdministratorFactory(is_superuser=True)
    assert "login_id" in shown(browser_of(other))
    assert shown(root_browser) == ["id"]


def test_the_first_columns_come_back(root_browser):
    first = shown(root_browser)
    root_browser.post(COLUMNS, {"column": ["id"]})
    root_browser.post(COLUMNS, {"column": ["id"], "default": "Default columns"})
    assert shown(root_browser) == first


@pytest.mark.parametrize("names", [[], ["password"], ["custom_9999"], ["\0", "x" * 5000]])
def test_what_is_no_column_is_none(root_browser, names):
    first = shown(root_browser)
    assert root_browser.post(COLUMNS, {"column": names}).status_code == 302
    assert shown(root_browser) == first


def test_a_column_whose_attribute_is_gone_is_left_out(root_browser):
    definition = AttributeDefinitionFactory()
    root_browser.post(COLUMNS, {"column": ["id", definition_field_name(definition)]})
    definition.delete()
    assert shown(root_browser) == ["id"]


@pytest.mark.parametrize(
    "query", ["\r\nX: y", "a=1\n", "//elsewhere.example", "\0", "ü" * 3000, "x" * 50_000]
)
def test_the_way_back_stays_on_the_list(root_browser, query):
    response = root_browser.post(COLUMNS, {"column": ["id"], "query": query})
    assert response.status_code == 302
    assert response["Location"].startswith(USERS)
    assert "\n" not in response["Location"]


def test_columns_are_chosen_by_who_sees_users(root_browser):
    assert root_browser.get(COLUMNS).status_code == 405
    stranger = AdministratorFactory()
    assert browser_of(stranger).post(COLUMNS, {"column": ["id"]}).status_code == 403
    assert not ListColumns.objects.exists()


def test_the_columns_go_with_their_operator(root_browser):
    operator = AdministratorFactory(is_superuser=True)
    browser_of(operator).post(COLUMNS, {"column": ["id"]})
    page = root_browser.get(f"{USERS}{operator.pk}/delete/").content.decode()
    assert "columns of" not in page.lower()
    operator.delete()
    assert not ListColumns.objects.exists()


def test_a_user_of_forty_teams_takes_a_line(root_browser):
    user = UserFactory(login_id="a")
    for number in range(40):
        MembershipFactory(user=user, team=TeamFactory(name=f"Team {number:02}"))
    page = root_browser.get(USERS, {"q": "a@desk"})
    assert cells(page, "shown_teams") == ["Team 00, Team 01 and 38 more"]


def test_states_are_words(root_browser):
    UserFactory(login_id="a", status="inactive")
    page = root_browser.get(USERS, {"q": "a@desk"})
    assert "inactive" in cells(page, "shown_status")[0]
    assert "no" in cells(page, "is_accepting_chats")[0]
    assert "icon-no" not in page.content.decode()


def test_values_of_attributes_are_readable_and_no_markup(root_browser):
    listed = AttributeDefinitionFactory(kind="skill", name="<b>languages</b>")
    flag = AttributeDefinitionFactory(kind="skill", name="certified", type="boolean")
    names = [definition_field_name(listed), definition_field_name(flag)]
    root_browser.post(COLUMNS, {"column": ["login_id", *names]})
    UserFactory(
        login_id="a", skill_attributes={listed.name: ["en", "<i>", "x" * 255], "certified": True}
    )
    page = root_browser.get(USERS, {"q": "a@desk"})
    assert cells(page, names[0])[0].startswith("en, &lt;i&gt;, xxx")
    assert len(cells(page, names[0])[0]) < 80
    assert "yes" in cells(page, names[1])[0]
    assert "<b>languages" not in page.content.decode()
