"""The page that deletes a user."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS
from users.models import Membership

User = get_user_model()


def test_nobody_deletes_himself(root_browser, superuser):
    path = f"{USERS}{superuser.pk}/delete/"
    assert root_browser.post(path, {"post": "yes"}).status_code == 403
    response = root_browser.post(
        USERS,
        {"action": "delete_selected", "_selected_action": [superuser.pk], "post": "yes"},
    )
    assert User.objects.filter(pk=superuser.pk).exists(), response


def test_why_a_deletion_is_refused_is_said(root_browser, user, monkeypatch):
    """As for the last active superuser, who becomes that while the request waits for a lock."""
    reason = "The last active superuser cannot lose access."
    monkeypatch.setattr("users.admin.users.access_removal_error", lambda *arguments: reason)
    response = root_browser.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})
    assert response.status_code == 403
    assert reason in response.content.decode()
    assert User.objects.filter(pk=user.pk).exists()
    assert LogEntry.objects.count() == 0


def test_a_user_is_deleted_with_memberships_and_sessions(root_browser, user):
    browser_of(user)
    root_browser.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Membership.objects.exists()


@pytest.mark.parametrize("page", ["user", "list"])
def test_the_keys_of_sessions_are_not_shown_before_a_user_is_deleted(staff_browser, user, page):
    """A key lets in: whoever could delete an administrator could have been him."""
    browser_of(user)
    if page == "user":
        response = staff_browser.get(f"{USERS}{user.pk}/delete/")
    else:
        data = {"action": "delete_selected", "_selected_action": [user.pk]}
        response = staff_browser.post(USERS, data)
    assert "Session: expires at" in response.content.decode()
    assert user.sessions.get().session_key not in response.content.decode()
