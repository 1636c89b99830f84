"""What holds for each page: axe-core finds nothing serious, and the console says nothing.

The console says what the Content-Security-Policy refuses, too.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.admin.conftest import browser_of
from tests.browser.screenshots import screenshot
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    UserFactory,
    issue_token,
)
from users.models import AccessToken, Change

pytestmark = pytest.mark.django_db(transaction=True)

USERS = "/admin/users/user/"
#: What is in braces is the key of something that `things` makes.
PAGES = {
    "log in": "/admin/login/",
    "index": "/admin/",
    "app": "/admin/users/",
    "users": USERS,
    "users filtered": f"{USERS}?logged_in=0&custom_{{business}}=Telecoms&q=a",
    "export": f"{USERS}export/",
    "import": f"{USERS}import/",
    "no users": f"{USERS}?q=nobody-has-this",
    "user": f"{USERS}{{user}}/change/",
    "administrator": f"{USERS}{{administrator}}/change/",
    "new user": f"{USERS}add/",
    "user's password": f"{USERS}{{user}}/password/",
    "user's history": f"{USERS}{{user}}/history/",
    "user's deletion": f"{USERS}{{user}}/delete/",
    "teams": "/admin/users/team/",
    "team": "/admin/users/team/{team}/change/",
    "new team": "/admin/users/team/add/",
    "memberships": "/admin/users/membership/",
    "membership": "/admin/users/membership/{membership}/change/",
    "new membership": "/admin/users/membership/add/",
    "new members": "/admin/users/membership/add-members/",
    "definitions": "/admin/users/attributedefinition/",
    "definition": "/admin/users/attributedefinition/{business}/change/",
    "choices": "/admin/users/attributedefinition/{business}/choices/",
    "new definition": "/admin/users/attributedefinition/add/",
    "tokens": "/admin/users/accesstoken/",
    "token": "/admin/users/accesstoken/{token}/change/",
    "new token": "/admin/users/accesstoken/add/",
    "changes": "/admin/users/change/",
    "change": "/admin/users/change/{change}/change/",
    "groups": "/admin/auth/group/",
    "new group": "/admin/auth/group/add/",
    "own password": "/admin/password_change/",
    "API page": "/api/schema/page/",
}


@pytest.fixture
def things(db):
    """Something of each, by the names that `PAGES` has."""
    business = ChoiceFactory(name="business")
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    AttributeDefinitionFactory(kind="skill", name="certified", type="boolean")
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", choices=["en", "hi"])
    AttributeDefinitionFactory(name="desk")
    user = UserFactory(
        custom_attributes={"business": "Telecoms"},
        skill_attributes={"languages": ["hi"], "seniority": 7, "chess": 3},
    )
    membership = MembershipFactory(user=user)
    issue_token(membership.team)
    user.job_description = "Team lead"
    user.save()
    return {
        "business": business.pk,
        "user": user.pk,
        "administrator": AdministratorFactory().pk,
        "membership": membership.pk,
        "team": membership.team.pk,
        "token": AccessToken.objects.get().pk,
        "change": Change.objects.latest("pk").pk,
    }


@pytest.fixture
def root_page(new_page, live_server):
    """Make pages of a superuser who is logged in; what their consoles say is in `said`."""
    root = AdministratorFactory(login_id="root", is_superuser=True)
    cookie = browser_of(root).cookies["sessionid"].value

    def make(**options):
        page = new_page(**options)
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page.said = []
        page.on("console", lambda message: listen(page, message))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        return page

    return make


def listen(page, message):
    if message.type in ("error", "warning"):
        page.said.append(message.text)


def serious(page):
    """Return what axe-core finds that is serious or critical: the rule, and where."""
    violations = Axe().run(page).response["violations"]
    return [
        (violation["id"], node["html"][:200])
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_keeps_to_the_policy(root_page, things, name):
    page = root_page()
    response = page.goto(PAGES[name].format(**things))
    assert response.status == 200
    assert "'unsafe" not in response.headers["content-security-policy"]
    page.wait_for_load_state("networkidle")
    screenshot(page, f"page {name}")
    assert page.said == []  # before axe-core, which says things too
    if name != "API page":  # what drf-spectacular's page looks like is not ours
        assert serious(page) == []


@pytest.mark.parametrize("name", ["index", "users filtered", "user", "new user", "definition"])
@pytest.mark.parametrize("look", ["dark", "narrow"])
def test_a_page_is_accessible_in_the_dark_and_on_a_telephone(root_page, things, name, look):
    narrow = {"viewport": {"width": 390, "height": 800}}
    page = root_page(**({"color_scheme": "dark"} if look == "dark" else narrow))
    page.goto(PAGES[name].format(**things))
    page.wait_for_load_state("networkidle")
    screenshot(page, f"{look} {name}")
    assert page.said == []
    assert serious(page) == []


def test_open_drop_downs_are_accessible_and_close_by_keyboard(root_page, things):
    page = root_page()
    page.goto(USERS)
    summary = page.locator("summary", has_text="Team and role")
    summary.focus()
    page.keyboard.press("Enter")
    role = page.get_by_label("Team Manager")
    expect(role).to_be_visible()
    assert page.said == []
    assert serious(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(role).to_be_checked()
    screenshot(page, "drop-down")
    page.keyboard.press("Escape")
    expect(role).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_language_is_switched_without_a_script(root_page, things):
    page = root_page(java_script_enabled=False, locale="en")
    page.goto(f"{USERS}?q=agent")
    page.get_by_role("button", name="Deutsch").click()
    expect(page).to_have_url(re.compile(r"/admin/users/user/\?q=agent$"))
    expect(page.get_by_role("button", name="Suchen")).to_be_visible()
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Übersicht")).to_be_visible()
    assert page.said == []


def test_no_page_is_wider_in_another_language(root_page, things):
    def widths(language):
        page = root_page(locale=language)
        for name in sorted(PAGES.keys() - {"API page"}):
            page.goto(PAGES[name].format(**things))
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 800})
                screenshot(page, f"{language} {width} {name}")
                found = page.evaluate("document.documentElement.scrollWidth")
                yield (name, width), max(width, found)
        assert page.said == []

    english = dict(widths("en"))
    for language in ("de", "hi"):
        wider = {key: found for key, found in widths(language) if found > english[key]}
        assert (language, wider) == (language, {})
