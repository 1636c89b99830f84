"""The OpenAPI document as a page."""

import pytest
from playwright.sync_api import expect

from tests.browser.screenshots import screenshot

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_shows_the_call_and_loads_nothing_from_elsewhere(page, live_server):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/schema/page/")
    page.get_by_text("/api/users/{user_id}").first.click()
    expect(page.get_by_text("User updated successfully").first).to_be_visible()
    screenshot(page, "openapi")
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert len(asked) > 3
