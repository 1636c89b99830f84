"""The history of a user as an operator meets it."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from tests.browser.screenshots import screenshot
from tests.browser.test_admin_site import administrator, log_in, root
from tests.factories import TeamFactory
from users.acting import acting
from users.models import Change, Membership

__all__ = ["administrator", "root"]

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


@pytest.fixture
def history(user, call, administrator, business):
    """The path of the history of `user`, changed by a token, an operator and a command."""
    call({"custom_attributes": {"business": "Banking"}, "skill_attributes": {"languages": ["de"]}})
    with acting("admin", by=administrator):
        changed = User.objects.get(pk=user.pk)
        changed.first_name = "Bruno"
        changed.status = "inactive"
        changed.save()
        Membership.objects.create(user=changed, team=TeamFactory(name="Night"), role="Team Manager")
    with acting("command"):
        changed.job_description = "Moved by a script, in a sentence that takes a line or two"
        changed.save()
    return f"/admin/users/user/{user.pk}/history/"


def test_a_change_is_undone_from_the_history(root, user, history):
    root.goto(f"/admin/users/user/{user.pk}/change/")
    root.get_by_role("link", name="History").click()
    row = root.get_by_role("row").filter(has_text="Bruno")
    expect(row).to_contain_text("First name: Asha → Bruno")
    row.get_by_role("link", name="Undo").click()
    expect(root.get_by_text("Filled in as before the change: First name, Status.")).to_be_visible()
    expect(root.get_by_label("First name")).to_have_value("Asha")
    expect(root.get_by_label("Status:")).to_have_value("active")
    screenshot(root, "undo")
    assert User.objects.get(pk=user.pk).first_name == "Bruno"
    root.get_by_role("button", name="Save", exact=True).click()
    expect(root.get_by_text("was changed successfully")).to_be_visible()
    saved = User.objects.get(pk=user.pk)
    assert (saved.first_name, saved.status) == ("Asha", "active")
    assert saved.custom_attributes == {"business": "Banking"}
    assert Change.objects.latest("id").by_name == "Ada"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_history_fits_the_screen(new_page, history, width, color_scheme):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=color_scheme)
    log_in(page)
    last = Change.objects.latest("id").pk
    for name, path in {
        "history": history,
        "filtered": f"{history}?door=api&since=x",
        "changes": "/admin/users/change/",
        "change": f"/admin/users/change/{last}/change/",
    }.items():
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        screenshot(page, f"history-{width}-{color_scheme}-{name}")


def test_the_history_is_filtered_and_paged(root, user, history):
    Change.objects.bulk_create(
        Change(
            user_id=user.pk,
            login_id=user.login_id,
            action="updated",
            door="scim",
            before={"last_name": str(number)},
            after={"last_name": str(number + 1)},
        )
        for number in range(60)
    )
    root.goto(history)
    root.get_by_label("Made through").select_option("scim")
    root.get_by_role("button", name="Filter").click()
    rows = root.locator("table.changes tbody tr")
    expect(rows).to_have_count(50)
    root.get_by_role("link", name="Older").click()
    expect(rows).to_have_count(10)
    root.get_by_role("link", name="Newest").click()
    expect(rows).to_have_count(50)
