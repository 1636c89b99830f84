"""The page that renames a choice for all users who have it."""

import re

import pytest
from django.contrib.auth.models import Permission

from tests.admin.conftest import browser_of
from tests.admin.pages import fields, messages
from tests.database import forget_creations, stored
from tests.factories import AdministratorFactory, AttributeDefinitionFactory, UserFactory
from users.models import Change

LIST = "/admin/users/attributedefinition/"


def page_of(definition):
    return f"{LIST}{definition.pk}/choices/"


def rename(browser, definition, old, new):
    """Enter the names; returns the page that asks, and what it answers to a yes."""
    asked = browser.post(page_of(definition), {"choice": old, "new_name": new})
    assert asked.status_code == 200
    return asked, browser.post(page_of(definition), fields(asked), follow=True)


@pytest.fixture
def holders(business):
    users = UserFactory.create_batch(3, custom_attributes={"business": "Retail"})
    forget_creations()
    return users


def test_it_asks_first_and_says_for_how_many(staff_browser, business, holders):
    asked, _ = rename(staff_browser, business, "Retail", "Shops")
    assert "Rename “Retail” to “Shops” for 3 users?" in asked.content.decode()
    asked, _ = rename(staff_browser, business, "Banking", "Shops")
    text = "Replace “Banking” by “Shops” for 0 users? “Banking” is then no choice."
    assert text in asked.content.decode()


def test_nothing_changes_before_it_is_confirmed(staff_browser, business, holders):
    staff_browser.post(page_of(business), {"choice": "Retail", "new_name": "Shops"})
    assert stored(holders[0]).custom_attributes == {"business": "Retail"}


def test_it_is_one_action_in_the_history(staff, staff_browser, business, holders):
    _, done = rename(staff_browser, business, "Retail", "Shops")
    assert messages(done) == ["Changed 3 users."]
    changes = Change.objects.filter(action="updated", user_id__in=[user.pk for user in holders])
    assert len({change.trxid for change in changes}) == 1
    assert {(change.by_id, change.door) for change in changes} == {(staff.pk, "admin")}
    business.refresh_from_db()
    assert business.choices == ["Shops", "Banking"]


def test_of_a_superuser_only_a_superuser_renames_it(
    staff_browser, root_browser, superuser, business
):
    superuser.custom_attributes = {"business": "Retail"}
    superuser.save()
    _, refused = rename(staff_browser, business, "Retail", "Shops")
    [message] = messages(refused)
    assert message.endswith("(root). Nothing was changed.")
    business.refresh_from_db()
    assert business.choices == ["Retail", "Banking"]
    rename(root_browser, business, "Retail", "Shops")
    assert stored(superuser).custom_attributes == {"business": "Shops"}


@pytest.mark.parametrize("missing", ["change_user", "change_attributedefinition"])
def test_it_takes_the_permission_to_change_users_and_definitions(db, business, holders, missing):
    clerk = AdministratorFactory()
    names = {"view_user", "view_attributedefinition", "change_user", "change_attributedefinition"}
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names - {missing}))
    browser = browser_of(clerk)
    assert browser.get(page_of(business)).status_code == 403
    data = {"choice": "Retail", "new_name": "Shops", "confirmed": "yes"}
    assert browser.post(page_of(business), data).status_code == 403
    assert b"/choices/" not in browser.get(f"{LIST}{business.pk}/change/").content
    assert stored(holders[0]).custom_attributes == {"business": "Retail"}


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [("Never", "Shops", "choice"), ("Retail", "", "new_name"), ("Retail", "Retail", "new_name")],
)
def test_what_is_wrong_is_refused_at_its_field(staff_browser, business, old, new, field):
    page = staff_browser.post(page_of(business), {"choice": old, "new_name": new, "confirmed": "1"})
    assert list(page.context["form"].errors) == [field]


def test_a_definition_without_choices_has_no_such_page(staff_browser):
    text = AttributeDefinitionFactory()
    assert staff_browser.get(page_of(text)).status_code == 302
    assert staff_browser.get(f"{LIST}999/choices/").status_code == 302


def test_the_page_of_a_definition_says_who_has_which_choice(root_browser, business, holders):
    UserFactory(custom_attributes={"business": "Gone"})
    content = root_browser.get(f"{LIST}{business.pk}/change/").content.decode()
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td><a href="(.*?)">(.*?)</a>', content)
    assert [(choice, text) for choice, _, text in rows] == [
        ("Retail", "3 users"),
        ("Banking", "0 users"),
        ("Gone (no longer allowed)", "1 user"),
    ]
    [url] = [url for choice, url, _ in rows if choice == "Retail"]
    assert set(root_browser.get(url).context["cl"].result_list) == set(holders)


def test_who_may_not_see_users_sees_no_counts(db, business):
    clerk = AdministratorFactory()
    clerk.user_permissions.set(Permission.objects.filter(codename="change_attributedefinition"))
    page = browser_of(clerk).get(f"{LIST}{business.pk}/change/")
    assert b"choice-holders" not in page.content
