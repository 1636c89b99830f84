"""The filters of the list of users, what they find, and how a page shows them."""

import pytest
from django.contrib.auth import get_user_model

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS
from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.admin.attribute_fields import definition_field_name

User = get_user_model()


def found(browser, *query, **filters):
    """Return the login ids that the list shows, but for the operator's own."""
    page = browser.get(USERS, query[0] if query else filters)
    assert page.status_code == 200, page
    return {user.login_id for user in page.context["cl"].result_list} - {"root"}


def chips(page):
    return [chip.text for chip in page.context["cl"].chips]


@pytest.fixture
def languages(db):
    return ChoiceFactory(
        kind="skill", name="languages", type="multiple_choice", choices=["en", "hi"]
    )


@pytest.fixture
def speakers(languages):
    for login_id, spoken in {"both": ["en", "hi"], "hindi": ["hi"], "english": ["en"]}.items():
        UserFactory(login_id=login_id, skill_attributes={"languages": spoken})
    UserFactory(login_id="nobody")


@pytest.mark.parametrize(
    ("query", "logins"),
    [
        ("{}=hi", {"both", "hindi"}),
        ("{}=hi&{}=en", {"both", "hindi", "english"}),
        ("{}__isnull=True", {"nobody"}),
        ("{}__isnull=False", {"both", "hindi", "english"}),
        ("{}=en&{}__isnull=True", {"both", "english", "nobody"}),
        ("{}=fr", set()),
        ("{}=", {"both", "hindi", "english", "nobody"}),
    ],
)
def test_by_a_skill_of_several_choices(root_browser, languages, speakers, query, logins):
    name = definition_field_name(languages)
    response = root_browser.get(f"{USERS}?{query.replace('{}', name)}")
    shown = {user.login_id for user in response.context["cl"].result_list}
    assert shown - {"root"} == logins


def test_by_a_choice_with_a_line_break_as_a_form_sends_it(root_browser):
    unit = ChoiceFactory(name="unit", choices=["Retail\nBerlin", "Banking"])
    UserFactory(login_id="retail", custom_attributes={"unit": "Retail\nBerlin"})
    query = {definition_field_name(unit): ["Retail\r\nBerlin", "Banking"]}
    page = root_browser.get(USERS, query)
    assert {user.login_id for user in page.context["cl"].result_list} == {"retail"}
    [spec] = [spec for spec in page.context["cl"].drop_downs if spec.title == "unit"]
    assert [option.is_chosen for option in spec.options] == [True, True, False]
    without, _ = page.context["cl"].chips
    assert without.url == f"?{definition_field_name(unit)}=Banking"


def test_a_filter_by_what_is_no_choice_any_more_can_be_taken_away(root_browser, business):
    page = root_browser.get(USERS, {definition_field_name(business): "Telecoms"})
    [spec] = [spec for spec in page.context["cl"].drop_downs if spec.title == "business"]
    assert [option.label for option in spec.options if option.is_chosen] == ["Telecoms"]


def test_several_filters_narrow_the_list(root_browser, languages, speakers, location):
    User.objects.filter(login_id="both").update(custom_attributes={"location": "Mumbai"})
    by_skill = {definition_field_name(languages): "hi"}
    by_location = {definition_field_name(location): ["Mumbai", "Berlin"]}
    assert found(root_browser, {**by_skill, **by_location}) == {"both"}


def test_by_who_is_logged_in(root_browser):
    agent = UserFactory(login_id="here")
    UserFactory(login_id="away")
    browser_of(agent)
    assert found(root_browser, logged_in="1") == {"here"}
    assert found(root_browser, logged_in="0") == {"away"}
    assert found(root_browser, logged_in=["0", "1"]) == {"here", "away"}


def test_by_team_and_role(root_browser):
    support, sales = TeamFactory(), TeamFactory()
    MembershipFactory(user=UserFactory(login_id="agent"), team=support)
    manager = UserFactory(login_id="manager")
    MembershipFactory(user=manager, team=support, role="Team Manager")
    MembershipFactory(user=manager, team=sales)
    UserFactory(login_id="alone")
    assert found(root_browser, teams__id__exact=[support.pk, sales.pk]) == {"agent", "manager"}
    assert found(root_browser, role="Team Manager") == {"manager"}
    # The role has to be that in the team.
    assert found(root_browser, teams__id__exact=sales.pk, role="Team Manager") == set()
    assert found(root_browser, teams__isnull="True") == {"alone"}
    assert found(root_browser, teams__isnull="True", teams__id__exact=sales.pk) == {
        "alone",
        "manager",
    }


def test_by_a_number(root_browser):
    seniority = AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    name = definition_field_name(seniority)
    for years in (1, 2.5, 7):
        UserFactory(login_id=f"years{years}", skill_attributes={"seniority": years})
    UserFactory(login_id="text", skill_attributes={"seniority": "7"})
    assert found(root_browser, {f"{name}__gte": "2.5"}) == {"years2.5", "years7"}
    assert found(root_browser, {f"{name}__gte": "2", f"{name}__lte": "3"}) == {"years2.5"}


def test_by_yes_or_no(root_browser):
    certified = AttributeDefinitionFactory(kind="skill", name="certified", type="boolean")
    name = definition_field_name(certified)
    for login_id, value in {"passed": True, "failed": False, "one": 1}.items():
        UserFactory(login_id=login_id, skill_attributes={"certified": value})
    UserFactory(login_id="none")
    assert found(root_browser, {name: "1"}) == {"passed"}
    assert found(root_browser, {name: "0"}) == {"failed"}
    assert found(root_browser, {f"{name}__isnull": "True"}) == {"none"}


@pytest.mark.parametrize("part", ["große", "ße", '"g', "\\", "%", "_"])
def test_by_a_part_of_a_text(root_browser, part):
    desk = AttributeDefinitionFactory(name='it\'s a "desk"')
    UserFactory(login_id="found", custom_attributes={desk.name: r'die "große" \ 100 % _'})
    UserFactory(login_id="other", custom_attributes={desk.name: "klein", "desk": "große"})
    assert found(root_browser, {f"{definition_field_name(desk)}__contains": part}) == {"found"}


def test_by_values_that_are_no_longer_allowed(root_browser, languages):
    number = AttributeDefinitionFactory(name="floor", type="number")
    flag = AttributeDefinitionFactory(name="remote", type="boolean")
    text = AttributeDefinitionFactory(name="desk")
    choice = ChoiceFactory(name="unit")
    UserFactory(
        login_id="fine",
        custom_attributes={"floor": 1, "remote": False, "desk": "3", "unit": "Retail"},
        skill_attributes={"languages": ["en"], "undefined": 1},
    )
    for login_id, custom in {
        "floor": {"floor": "1"},
        "remote": {"remote": 0},
        "desk": {"desk": 3},
        "unit": {"unit": "Telecoms"},
        "undefined": {"pet": "cat"},
    }.items():
        UserFactory(login_id=login_id, custom_attributes=custom)
    UserFactory(login_id="languages", skill_attributes={"languages": ["en", "xx"]})
    everybody = {"floor", "remote", "desk", "unit", "undefined", "languages"}
    assert found(root_browser, not_allowed="any") == everybody
    for definition in (number, flag, text, choice, languages):
        by_definition = {"not_allowed": definition_field_name(definition)}
        assert found(root_browser, by_definition) == {
            {"unit": "unit"}.get(definition.name, definition.name)
        }


def test_undefined_attributes_are_found_whatever_their_names(root_browser):
    AttributeDefinitionFactory(name='größe "x" \\')
    UserFactory(login_id="fine", custom_attributes={'größe "x" \\': "1"})
    UserFactory(login_id="other", custom_attributes={'größe "x"': "1"})
    assert found(root_browser, not_allowed="any") == {"other"}


def test_a_text_in_place_of_a_list_is_no_longer_allowed(root_browser, languages):
    for login_id, value in {"text": "hi", "number": 1, "mixed": ["hi", 1], "empty": []}.items():
        UserFactory(login_id=login_id, skill_attributes={"languages": value})
    by_definition = {"not_allowed": definition_field_name(languages)}
    assert found(root_browser, by_definition) == {"text", "number", "mixed"}


def test_what_is_filtered_is_shown_with_links_that_take_it_away(root_browser, business):
    name = definition_field_name(business)
    query = f"{name}=Retail&{name}=Banking&status__exact=active&q=rao&o=1&p=1"
    page = root_browser.get(f"{USERS}?{query}")
    assert chips(page) == [
        "status: active",
        "business: Retail",
        "business: Banking",
        "“rao”",
    ]
    without_retail = page.context["cl"].chips[1].url
    assert without_retail == f"?{name}=Banking&status__exact=active&q=rao&o=1"


def test_a_page_without_filters_has_no_chips(root_browser, business):
    page = root_browser.get(USERS)
    assert chips(page) == []
    assert "Clear all filters" not in page.content.decode()


def test_the_form_keeps_the_order_and_the_popup(root_browser):
    page = root_browser.get(f"{USERS}?o=1&_popup=1&p=2&status__exact=active&q=a")
    assert list(page.context["cl"].kept_parameters) == [("o", "1"), ("_popup", "1")]


def test_the_names_of_choices_are_no_markup(root_browser):
    choice = ChoiceFactory(name="<i>unit</i>", choices=["<b>&amp;</b>"])
    page = root_browser.get(USERS, {definition_field_name(choice): "<b>&amp;</b>"})
    content = page.content.decode()
    assert "<b>" not in content
    assert "<i>" not in content
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in content


@pytest.mark.parametrize(
    ("term", "logins"),
    [
        ("mumbai", {"desk", "place"}),
        ("TRAINER", {"job"}),
        ("3.017", {"desk"}),
        ("trainer mumbai", set()),
        ("hi", {"speaker"}),
        ("größe", {"job"}),
    ],
)
def test_the_search_finds_job_choices_and_texts(root_browser, languages, location, term, logins):
    AttributeDefinitionFactory(name="desk")
    UserFactory(login_id="job", job_description="Trainer", last_name="GRÖSSE")
    UserFactory(login_id="desk", custom_attributes={"desk": "3.017 in Mumbai"})
    UserFactory(login_id="place", custom_attributes={"location": "Mumbai"})
    UserFactory(login_id="speaker", skill_attributes={"languages": ["en", "hi"]}, first_name="X")
    assert found(root_browser, q=term) == logins


def test_the_search_finds_an_id(root_browser):
    user = UserFactory(login_id="a", email_id="a@b.example")
    assert found(root_browser, q=str(user.pk)) == {"a"}
