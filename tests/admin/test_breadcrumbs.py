"""The way to a page, in the markup of Django's own pages."""

import re

import pytest

from tests.admin.pages import user_page
from users.models import AccessToken

LIST = "/admin/users/user/"


def breadcrumbs(page):
    """Return the markup around the breadcrumbs, and their texts."""
    [(tag, inside)] = re.findall(
        r'<(div|ol) class="breadcrumbs">(.*?)</\1>', page.content.decode(), re.DOTALL
    )
    text = re.sub(r"<.*?>", " ", inside.replace("&rsaquo;", " "))
    return tag, re.split(r"\s{2,}", text.strip())


@pytest.fixture
def djangos(root_browser):
    """The tag that Django's own pages have in this version."""
    return breadcrumbs(root_browser.get(f"{LIST}add/"))[0]


def test_on_the_page_of_a_confirmation(root_browser, user, djangos):
    data = {"action": "activate", "_selected_action": [user.pk]}
    page = root_browser.post(LIST, data)
    assert breadcrumbs(page) == (djangos, ["Home", "Users", "Users", "Confirm"])


def test_on_the_pages_of_the_history(root_browser, user, djangos):
    page = root_browser.get(user_page(user).replace("change", "history"))
    assert breadcrumbs(page) == (djangos, ["Home", "Users", "Users", user.login_id, "History"])
    page = root_browser.get("/admin/users/change/")
    assert breadcrumbs(page) == (djangos, ["Home", "Users", "Changes"])


def test_on_the_page_of_a_new_token(root_browser, team, djangos):
    page = root_browser.post("/admin/users/accesstoken/add/", {"name": "HR", "teams": [team.pk]})
    token = AccessToken.objects.get()
    assert breadcrumbs(page) == (djangos, ["Home", "Users", "Access tokens", str(token)])


def test_the_question_of_a_confirmation_stands_in_the_content(root_browser, user):
    page = root_browser.post(LIST, {"action": "activate", "_selected_action": [user.pk]})
    content = page.content.decode()
    form = content.index('<form method="post" novalidate>')
    assert content.count("Activate 1 user?</h1>") == 1
    assert content.rindex('id="content"', 0, form) < content.index("Activate 1 user?</h1>") < form
