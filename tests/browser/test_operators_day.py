"""A day of a new operator, who is in the group Operators and no superuser."""

import re

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from playwright.sync_api import expect

from tests.admin.conftest import browser_of
from tests.browser.screenshots import screenshot
from tests.factories import (
    AdministratorFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/users/user/"


@pytest.fixture
def operator(page, live_server):
    """The page of the operator, who is logged in."""
    call_command("create_groups", verbosity=0)
    olga = AdministratorFactory(login_id="olga")
    olga.groups.add(Group.objects.get(name="Operators"))
    cookie = browser_of(olga).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return page


@pytest.fixture
def centre(db):
    """Forty teams, and 25 agents, of whom 20 speak Hindi, are in Mumbai and are logged in."""
    ChoiceFactory(name="location", choices=["Berlin", "Mumbai"])
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", choices=["en", "hi"])
    teams = [TeamFactory(name=f"Shift {number:02}") for number in range(40)]
    for number in range(25):
        agent = UserFactory(
            custom_attributes={"location": "Berlin" if number == 20 else "Mumbai"},
            skill_attributes={"languages": ["en"] if number == 21 else ["en", "hi"]},
        )
        MembershipFactory(user=agent, team=teams[0])
        if number < 22:
            browser_of(agent)
    return teams


def choose(page, title, *labels):
    page.locator("summary", has_text=re.compile(rf"^{title}")).click()
    for label in labels:
        page.get_by_role("checkbox", name=label, exact=True).check()


def test_an_operator_finds_agents_and_moves_them_to_another_team(operator, centre):
    page = operator
    page.goto(LIST)
    choose(page, "Location", "Mumbai")
    choose(page, "Languages", "hi")
    choose(page, "Logged in", "yes")
    screenshot(page, "filters chosen")
    page.locator(".drop-down[open]").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_have_text("20 users")
    for chip in ("logged in: yes", "location: Mumbai", "languages: hi"):
        expect(page.locator(".chips")).to_contain_text(chip)
    shared = page.url
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("move_to_team")
    page.get_by_role("button", name=re.compile("Go|Run")).click()
    expect(page.get_by_role("heading", name="Move 20 users to another team?")).to_be_visible()
    page.get_by_label("From").select_option("Shift 00")
    page.get_by_label("To").select_option("Shift 39")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".effect")).to_have_text(
        "From: Shift 00, To: Shift 39. 20 users will change."
    )
    screenshot(page, "move")
    page.get_by_role("button", name="Yes, I’m sure").click()
    expect(page.get_by_text("Changed 20 users.")).to_be_visible()
    assert (centre[0].memberships.count(), centre[39].memberships.count()) == (5, 20)
    # The address of the filtered list is kept, and can be shared.
    assert page.url == shared
    page.get_by_role("link", name="Remove the filter logged in: yes").click()
    expect(page.get_by_role("status")).to_have_text("23 users")


def test_a_long_list_of_teams_is_narrowed(operator, centre):
    page = operator
    page.goto(LIST)
    page.locator("summary", has_text="Team and role").click()
    page.get_by_label("Narrow the list").locator("visible=true").fill("39")
    expect(page.get_by_role("checkbox", name="Shift 39")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Shift 00")).to_be_hidden()


def test_the_filters_work_without_javascript(new_page, live_server, operator, centre):
    page = new_page(java_script_enabled=False)
    page.context.add_cookies(operator.context.cookies())
    page.goto(LIST)
    choose(page, "Location", "Berlin")
    page.locator(".drop-down[open]").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_have_text("1 user")


def test_an_operator_chooses_columns(operator, centre):
    page = operator
    page.goto(f"{LIST}?q=agent")
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Email", exact=True).uncheck()
    page.get_by_role("checkbox", name="Languages", exact=True).check()
    up = page.get_by_role("button", name="Move Login id up")
    up.press("Enter")
    expect(up).to_be_focused()
    screenshot(page, "columns")
    page.locator(".drop-down[open]").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("columnheader", name="Languages")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Email")).to_be_hidden()
    heads = page.get_by_role("columnheader").all_inner_texts()
    assert [head.strip().lower() for head in heads if head.strip()][:2] == ["login id", "name"]
    assert page.url.endswith("?q=agent")


def test_the_filters_are_folded_on_a_telephone(new_page, operator, centre):
    page = new_page(viewport={"width": 390, "height": 844})
    page.context.add_cookies(operator.context.cookies())
    page.goto(LIST)
    location = page.locator("summary", has_text=re.compile("^Location"))
    expect(location).to_be_hidden()
    assert page.locator("#result_list tbody tr").first.bounding_box()["y"] < 600
    page.locator("summary", has_text="Filters").click()
    choose(page, "Location", "Berlin")
    page.locator(".drop-down[open]").get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_have_text("1 user")
    expect(page.locator(".chips")).to_contain_text("location: Berlin")


def test_twenty_definitions_and_forty_teams_leave_room_for_users(operator, centre):
    for number in range(18):
        ChoiceFactory(name=f"attribute {number}")
    operator.goto(LIST)
    screenshot(operator, "twenty definitions")
    assert operator.locator("#result_list tbody tr").first.bounding_box()["y"] < 500
