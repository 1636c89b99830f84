"""The OpenAPI document as a page."""

import pytest
from playwright.sync_api import expect

from tests.browser.screenshots import screenshot

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_shows_the_calls_and_loads_nothing_from_elsewhere(page, live_server):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/schema/page/")
    for call in ("List the changes of a user", "List all changes of the team's users"):
        expect(page.get_by_text(call, exact=True)).to_be_visible()
    page.get_by_text("Update a user", exact=True).click()
    expect(page.get_by_text("User updated successfully").first).to_be_visible()
    screenshot(page, "openapi")
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert len(asked) > 3


def authorize(page, token):
    page.goto("/api/schema/page/")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-bearer-value").fill(token)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()


def test_a_call_is_tried_on_the_page(page, team, token):
    authorize(page, token)
    page.get_by_text("List all changes of the team's users", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("teamid").fill(str(team.pk))
    page.get_by_role("button", name="Execute").click()
    expect(
        page.locator(".live-responses-table").get_by_text("Retrieved successfully")
    ).to_be_visible()


def test_a_user_is_read_and_updated_on_the_page_while_unchanged(page, team, user, token):
    authorize(page, token)
    page.get_by_text("Get a user", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("user_id").fill(str(user.pk))
    page.get_by_placeholder("teamid").fill(str(team.pk))
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table")
    expect(answer.get_by_text("The user details retrieved successfully")).to_be_visible()
    expect(answer.get_by_text("etag:")).to_be_visible()
    page.get_by_text("Get a user", exact=True).click()
    page.get_by_text("Update a user", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("user_id").fill(str(user.pk))
    page.get_by_placeholder("teamid").fill(str(team.pk))
    page.get_by_placeholder("If-Match").fill('"another"')
    page.get_by_role("button", name="Execute").click()
    expect(
        page.locator(".live-responses-table").get_by_text("The user was changed meanwhile")
    ).to_be_visible()
