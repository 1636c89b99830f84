"""The OpenAPI document as a page."""

import re

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


def test_each_call_is_tried_on_the_page(page, team, user, token, business):
    authorize(page, token)
    expect(page.locator(".opblock").first).to_be_visible()
    for block in page.locator(".opblock").all():
        block.locator(".opblock-summary").click()
        block.get_by_role("button", name="Try it out").click()
        for name, value in (("teamid", team.pk), ("user_id", user.pk)):
            field = block.get_by_placeholder(name, exact=True)
            if field.count():
                field.fill(str(value))
        block.get_by_role("button", name="Execute").click()
        method = block.locator(".opblock-summary-method").inner_text()
        expect(block.locator(".live-responses-table .response-col_status").last).to_have_text(
            re.compile(r"^20[07]" if method in ("GET", "PATCH", "PUT") else r"^[24]\d\d")
        )
        block.locator(".opblock-summary").click()


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
