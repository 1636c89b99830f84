"""The overview above the list of models: figures, each with the list that it counts."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS
from tests.database import store
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
    issue_token,
)
from users.models import AccessToken, Change

INDEX = "/admin/"


def tables(page):
    """Return the charts of the page: the counts by label, by title."""
    text = unescape(page.content.decode())
    found = {}
    for table in re.findall(r'<table class="chart">.*?</table>', text, re.DOTALL):
        title = _text(re.search(r"<caption>(.*?)</caption>", table, re.DOTALL)[1])
        rows = re.findall(r"<th scope=\"row\">(.*?)</th>\s*<td[^>]*>(.*?)</td>", table, re.DOTALL)
        found[title] = {_text(label): _text(count) for label, count in rows}
    return found


def cards(page):
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.content.decode())
    return {label: int(_text(count)) for label, count in found}


def _text(html):
    return re.sub(r"<.*?>", "", html).strip()


def link(page, label):
    return unescape(re.search(rf'<a href="([^"]*)">{label}</a>', page.content.decode())[1])


def listed(browser, path):
    page = browser.get(path)
    assert page.status_code == 200, (page.status_code, path)
    return {user.login_id for user in page.context["cl"].result_list}


def with_permissions(*codenames):
    viewer = AdministratorFactory()
    viewer.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return browser_of(viewer)


def test_users_are_counted_by_status(root_browser, user):
    UserFactory(status="inactive", login_id="gone")
    page = root_browser.get(INDEX)
    assert tables(page)["Users by status"] == {"Active": "2", "Inactive": "1"}
    assert listed(root_browser, link(page, "Inactive")) == {"gone"}


def test_users_are_counted_by_the_choices_of_an_attribute(root_browser, superuser, business):
    for number, choice in enumerate(["Banking", "Banking", "Retail", "Gone", None]):
        value = {} if choice is None else {"business": choice}
        UserFactory(login_id=f"agent-{number}", custom_attributes=value)
    page = root_browser.get(INDEX)
    assert tables(page)["Users by business"] == {
        "Banking": "2",
        "Retail": "1",
        "(none)": "2",  # the superuser is one
        "(no longer allowed)": "1",
    }
    assert listed(root_browser, link(page, "Banking")) == {"agent-0", "agent-1"}
    assert listed(root_browser, link(page, r"\(none\)")) == {"agent-4", "root"}
    assert listed(root_browser, link(page, r"\(no longer allowed\)")) == {"agent-3"}
    title = "Users with values that are no longer allowed"
    assert listed(root_browser, link(page, title)) == {"agent-3"}


def test_several_choices_of_one_user_count_for_each(root_browser):
    ChoiceFactory(name='la"n.g', type="multiple_choice", choices=["hi", "en"])
    UserFactory(custom_attributes={'la"n.g': ["hi", "en"]})
    UserFactory(custom_attributes={'la"n.g': ["hi"]})
    counts = tables(root_browser.get(INDEX))['Users by la"n.g']
    assert counts == {"hi": "2", "en": "1", "(none)": "1"}


def test_a_text_is_no_chart(root_browser):
    AttributeDefinitionFactory(name="notes")
    assert "Users by notes" not in tables(root_browser.get(INDEX))


def test_skills_are_counted_of_active_users(root_browser):
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", choices=["hi", "ta"])
    AttributeDefinitionFactory(kind="skill", name="billing", type="boolean")
    UserFactory(skill_attributes={"languages": ["hi"], "billing": True, "chess": 3})
    UserFactory(skill_attributes={"languages": ["hi"], "billing": False, "chess": 4})
    UserFactory(skill_attributes={"languages": ["ta"], "chess": 1}, status="inactive")
    assert tables(root_browser.get(INDEX))["Skills of active users"] == {
        "languages: hi": "2",
        "chess": "2",
        "billing": "1",
        "languages: ta": "0",
    }


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("languages: hi", {"hindi"}),
        ("billing", {"billing"}),
        ("seniority", {"senior"}),
    ],
)
def test_a_skill_links_to_the_active_users_who_have_it(root_browser, label, found):
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", choices=["hi", "ta"])
    AttributeDefinitionFactory(kind="skill", name="billing", type="boolean")
    AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    UserFactory(login_id="hindi", skill_attributes={"languages": ["hi"], "billing": False})
    UserFactory(login_id="billing", skill_attributes={"billing": True})
    UserFactory(login_id="senior", skill_attributes={"seniority": 3})
    UserFactory(login_id="gone", skill_attributes={"languages": ["hi"]}, status="inactive")
    page = root_browser.get(INDEX)
    assert tables(page)["Skills of active users"][label] == "1"
    assert listed(root_browser, link(page, label)) == found


def test_users_are_counted_by_team(root_browser, team, user):
    larger = TeamFactory(name="Larger")
    for _ in range(2):
        MembershipFactory(team=larger)
    page = root_browser.get(INDEX)
    assert tables(page)["Users by team"] == {"Larger": "2", team.name: "1"}
    assert listed(root_browser, link(page, team.name)) == {user.login_id}


def test_what_goes_on_now_is_counted(root_browser, user):
    store(user, accepting_chats=True, active_chats=4)
    browser_of(user)
    browser_of(user)  # twice the same user
    page = root_browser.get(INDEX)
    assert listed(root_browser, f"{USERS}?logged_in=1") == {user.login_id, "root"}
    assert f'<dd><a href="{USERS}?logged_in=1">2</a></dd>' in page.content.decode()
    assert cards(page) == {
        "Active users": 2,
        "Logged in": 2,
        "Accepting chats": 1,
        "Active chats": 4,
    }


def test_a_session_that_has_ended_is_not_counted(root_browser, user):
    browser_of(user)
    user.sessions.update(expire_date=timezone.now() - timedelta(seconds=1))
    other = UserFactory()
    browser_of(other)
    store(other, password="another")
    assert cards(root_browser.get(INDEX))["Logged in"] == 1


def test_changes_are_counted_by_day(root_browser, user):
    Change.objects.all().delete()
    user.job_description = "another"
    user.save()
    yesterday = timezone.now() - timedelta(days=1)
    Change.objects.create(
        user_id=user.pk,
        login_id="x",
        action="updated",
        door="code",
        at=yesterday,
        before={},
        after={},
    )
    page = root_browser.get(INDEX)
    counts = list(tables(page)["Changes by day"].values())
    assert counts == ["1", "1", *["0"] * 12]
    day = f"{timezone.now():%a} {timezone.now():%B} {timezone.now().day}"
    assert "another" in root_browser.get(link(page, day)).content.decode()


def test_tokens_that_run_out_soon_are_listed(root_browser, team):
    now = timezone.now()
    for name, days in (("soon", 3), ("later", 31), ("over", -1)):
        AccessToken.objects.issue(name, [team], now + timedelta(days=days))
    AccessToken.objects.issue("never", [team])
    revoked, _ = AccessToken.objects.issue("revoked", [team], now + timedelta(days=3))
    revoked.revoke()
    [label] = tables(root_browser.get(INDEX))["Access tokens that run out within 30 days"]
    assert label.startswith("soon")


@pytest.mark.parametrize(
    ("permission", "titles"),
    [
        ("view_user", {"Users by status", "Users by team", "Skills of active users"}),
        ("view_change", {"Changes by day"}),
        ("view_accesstoken", {"Access tokens that run out within 30 days"}),
        ("view_team", set()),
    ],
)
def test_each_sees_what_permissions_allow(db, permission, titles):
    page = with_permissions(permission).get(INDEX)
    assert page.status_code == 200
    assert tables(page).keys() == titles
    assert bool(cards(page)) == (permission == "view_user")


def test_names_are_shown_as_text(root_browser):
    hostile = "<script>alert(1)</script>"
    definition = ChoiceFactory(name=hostile, choices=[hostile])
    team = TeamFactory(name=hostile)
    MembershipFactory(team=team, user__custom_attributes={definition.name: hostile})
    UserFactory(skill_attributes={hostile: 1})
    assert hostile not in root_browser.get(INDEX).content.decode()


def test_the_figures_take_eight_queries(root_browser, business, team, user):
    issue_token(team)
    with CaptureQueriesContext(connection) as queries:
        root_browser.get(INDEX)
    # The session, the viewer, Django's log of actions; definitions, users, sessions, choices,
    # teams, skills, changes and tokens.
    assert len(queries) == 3 + 8
