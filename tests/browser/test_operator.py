"""What a new operator of the group "Operators" does with mouse and keyboard."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from playwright.sync_api import expect

from tests.browser.screenshots import screenshot
from tests.browser.test_admin_site import in_admin, log_in
from tests.factories import (
    AdministratorFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.models import Change, Membership

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
LOOKS = [(1280, "light"), (390, "light"), (1280, "dark")]


@pytest.fixture
def operator(db):
    call_command("create_groups", verbosity=0)
    operator = AdministratorFactory(login_id="olga", first_name="Olga")
    operator.groups.add(Group.objects.get(name="Operators"))
    return operator


@pytest.fixture
def browser(page, operator):
    log_in(page, operator.login_id)
    in_admin(page)
    return page


@pytest.fixture
def centre(team, business):
    """A few users with attributes, skills and teams."""
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", choices=["hi", "en"])
    for number in range(3):
        user = UserFactory(
            login_id=f"agent-{number}",
            custom_attributes={"business": "Retail"},
            skill_attributes={"languages": ["hi"]},
        )
        MembershipFactory(user=user, team=team)


@pytest.mark.usefixtures("at_once")
def test_makes_an_agent_with_everything_in_one_page(browser, centre, location, team, mailoutbox):
    browser.goto("/admin/users/user/add/")
    browser.get_by_label("First name:").fill("Bruno")
    browser.get_by_label("Last name:").fill("Keller")
    browser.get_by_label("Email:").fill("bruno@desk.example")
    browser.get_by_label("Job description:").fill("Agent")
    browser.get_by_label("business:").select_option("Banking")
    browser.get_by_label("location:").select_option("Mumbai")
    browser.get_by_label("hi", exact=True).check()
    browser.get_by_label("Add a skill:").fill("chess")
    browser.get_by_label("Type:").select_option("number")
    browser.get_by_label("Value:").fill("3")
    browser.get_by_label("Login id:").fill("bruno")
    browser.get_by_label("May log in with the email address").check()
    browser.get_by_label("Invite by mail: the user sets the password").check()
    expect(browser.get_by_label("Password confirmation:")).to_be_hidden()
    browser.get_by_role("button", name="Add another Team and role").click()
    browser.locator("#memberships-0 .select2-selection").click()
    browser.get_by_role("searchbox").fill(team.name)
    browser.get_by_role("option", name=team.name).click()
    browser.locator("#id_memberships-0-role").select_option("Team Manager")
    screenshot(browser, "create")
    browser.get_by_role("button", name="Save", exact=True).click()
    expect(browser.get_by_text("was added successfully")).to_be_visible()
    user = User.objects.get(login_id="bruno")
    assert (user.get_full_name(), user.job_description) == ("Bruno Keller", "Agent")
    assert user.login_using_email
    assert user.custom_attributes == {"business": "Banking", "location": "Mumbai"}
    assert user.skill_attributes == {"languages": ["hi"], "chess": 3}
    assert list(user.memberships.values_list("team", "role")) == [(team.pk, "Team Manager")]
    assert [mail.to for mail in mailoutbox] == [["bruno@desk.example"]]
    assert Change.objects.filter(user_id=user.pk).count() == 1


def test_renames_a_choice_from_the_page_of_its_definition(browser, centre):
    browser.goto("/admin/")
    browser.get_by_role("link", name="Attribute definitions", exact=True).click()
    browser.get_by_role("link", name="business").click()
    screenshot(browser, "definition")
    browser.get_by_role("link", name="Rename Retail").click()
    browser.get_by_label("New name:").fill("Shops")
    browser.get_by_role("button", name="Continue").click()
    expect(browser.get_by_text("Rename “Retail” to “Shops” for 3 users?")).to_be_visible()
    screenshot(browser, "rename")
    browser.get_by_role("button", name="Yes, I’m sure").click()
    expect(browser.get_by_text("Changed 3 users.")).to_be_visible()
    browser.get_by_role("link", name="3 users").click()
    assert browser.url.endswith("=Shops")
    expect(browser.get_by_role("cell", name="agent-1", exact=True)).to_be_visible()


def test_renames_a_choice_that_3000_hold_and_undoes_it_for_one_of_them(browser, centre):
    User.objects.bulk_create(
        UserFactory.build_batch(2_997, password="!", custom_attributes={"business": "Retail"})
    )
    browser.goto("/admin/")
    browser.get_by_role("link", name="Attribute definitions", exact=True).click()
    browser.get_by_role("link", name="business").click()
    browser.get_by_role("link", name="Rename Retail").click()
    browser.get_by_label("New name:").fill("Shops")
    browser.get_by_role("button", name="Continue").click()
    expect(browser.get_by_text("Rename “Retail” to “Shops” for 3000 users?")).to_be_visible()
    browser.get_by_role("button", name="Yes, I’m sure").click()
    expect(browser.get_by_text("Changed 3000 users.")).to_be_visible(timeout=60_000)
    # Retail is a choice once more, and one of them has it.
    browser.get_by_label("Choices:").press("Control+End")
    browser.keyboard.type("\nRetail")
    browser.get_by_role("button", name="Save", exact=True).click()
    expect(browser.get_by_text("was changed successfully")).to_be_visible()
    user = User.objects.get(login_id="agent-1")
    browser.goto(f"/admin/users/user/{user.pk}/change/")
    browser.get_by_role("link", name="History").click()
    row = browser.get_by_role("row", name="Retail → Shops")
    expect(row).to_contain_text("olga (user)")
    row.get_by_role("link", name="Undo").click()
    expect(browser.get_by_label("business:")).to_have_value("Retail")
    screenshot(browser, "undo")
    browser.get_by_role("button", name="Save", exact=True).click()
    expect(browser.get_by_text("was changed successfully")).to_be_visible()
    user.refresh_from_db()
    assert user.custom_attributes == {"business": "Retail"}
    assert User.objects.filter(custom_attributes__business="Shops").count() == 2_999


def test_adds_two_members_to_a_team(browser, centre):
    other = TeamFactory(name="Second line")
    browser.goto(f"/admin/users/membership/?team__id__exact={other.pk}")
    browser.get_by_role("link", name="Add members").click()
    for name in ("agent-0", "agent-2"):
        browser.locator(".field-users .select2-selection, .select2-selection--multiple").click()
        browser.get_by_role("searchbox").fill(name)
        browser.get_by_role("option", name=name).click()
    screenshot(browser, "add-members")
    browser.get_by_role("button", name="Add", exact=True).click()
    expect(browser.get_by_text("Added 2 users.")).to_be_visible()
    assert Membership.objects.filter(team=other).count() == 2
    browser.get_by_role("link", name="agent-2", exact=True).click()
    expect(browser.get_by_role("heading", name="Asha Rao")).to_be_visible()


def test_follows_a_bar_of_the_overview_to_its_users(browser, centre):
    browser.goto("/admin/")
    row = browser.get_by_role("row", name="languages: hi")
    expect(row).to_contain_text("3")
    row.get_by_role("link").click()
    expect(browser.get_by_role("cell", name="agent-1", exact=True)).to_be_visible()
    expect(browser.get_by_role("cell", name="olga", exact=True)).to_be_hidden()


def test_the_list_of_models_is_on_the_first_screen_of_the_overview(browser, centre):
    browser.set_viewport_size({"width": 1280, "height": 700})
    browser.goto("/admin/")
    link = browser.get_by_role("link", name="Users", exact=True).last
    expect(link).to_be_in_viewport(ratio=1)


def test_the_buttons_of_the_form_stay_in_reach_and_cover_nothing_with_the_focus(browser, centre):
    for number in range(12):
        ChoiceFactory(name=f"attribute {number}")
    browser.set_viewport_size({"width": 1280, "height": 600})
    browser.goto("/admin/users/user/add/")
    buttons = browser.locator("#user_form .submit-row")
    expect(buttons).to_be_in_viewport(ratio=1)
    browser.get_by_label("First name:").focus()
    for _ in range(30):
        browser.keyboard.press("Tab")
        focused = browser.locator(":focus")
        if focused.evaluate("element => Boolean(element.closest('.submit-row'))"):
            break
        box = focused.bounding_box()
        assert box["y"] + box["height"] <= buttons.bounding_box()["y"], focused.inner_html()


@pytest.mark.parametrize(("width", "color_scheme"), LOOKS)
def test_the_pages_fit_the_screen(new_page, operator, centre, business, width, color_scheme):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=color_scheme)
    problems = []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    log_in(page, operator.login_id)
    in_admin(page)
    user = User.objects.get(login_id="agent-1")
    for name, path in {
        "overview": "",
        "add": "users/user/add/",
        "form": f"users/user/{user.pk}/change/",
        "definition": f"users/attributedefinition/{business.pk}/change/",
        "choices": f"users/attributedefinition/{business.pk}/choices/",
        "members": "users/membership/",
        "add-members": "users/membership/add-members/",
    }.items():
        page.goto(f"/admin/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        screenshot(page, f"{name}-{width}-{color_scheme}")
    assert problems == []
