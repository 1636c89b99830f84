"""The page that exports the users whom the list shows."""

import io
import logging

import pytest
from django.contrib.auth.models import Permission

from tests.admin.pages import USERS, fields
from tests.factories import ChoiceFactory, UserFactory
from users.spreadsheets import reading

PATH = f"{USERS}export/"


def exported(browser, query="", **chosen):
    """Send the form of the page, and return the rows of the file."""
    page = browser.get(PATH + query)
    assert page.status_code == 200
    response = browser.post(PATH + query, {**fields(page), **chosen})
    assert response.status_code == 200
    content = io.BytesIO(b"".join(response.streaming_content))
    return [cells for _, cells in reading.rows(content)]


def test_the_list_leads_to_it_with_its_filters(root_browser, user):
    page = root_browser.get(f"{USERS}?q=agent").content.decode()
    assert f'href="{PATH}?q=agent"' in page


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_it_exports_whom_the_list_shows(root_browser, user, format_):
    UserFactory(first_name="Ben", email_id="ben@desk.example", login_id="ben")
    rows = exported(root_browser, "?q=ben", format=format_)
    assert [row[3] for row in rows] == ["Login ID", "ben"]
    assert len(exported(root_browser, format=format_)) == 1 + 3  # the superuser too


def test_only_the_chosen_columns_are_written(root_browser, business, user):
    rows = exported(root_browser, "?q=agent", columns=["Login ID", "custom:business", "Logged In"])
    assert rows == [
        ["Login ID", "custom:business", "Logged In"],
        [user.login_id, "Retail", "false"],
    ]


def test_the_file_is_kept_by_nobody(root_browser, user):
    response = root_browser.post(PATH, {"format": "csv", "columns": ["ID"]})
    assert response["Cache-Control"].startswith("no-store")
    assert response["Content-Disposition"] == 'attachment; filename="users.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_the_log_says_who_exported_whom(root_browser, user, caplog):
    caplog.set_level(logging.INFO, "users.spreadsheets")
    exported(root_browser, "?q=agent")
    [line] = [record.getMessage() for record in caplog.records if "Export" in record.getMessage()]
    assert line.startswith("Export by 'root': 1 users (complete), filter: 'q=agent'")


def test_it_has_a_permission_of_its_own(staff, staff_browser, user):
    assert staff_browser.get(PATH).status_code == 200
    staff.user_permissions.remove(Permission.objects.get(codename="export_user"))
    assert staff_browser.get(PATH).status_code == 403
    assert staff_browser.post(PATH, {"format": "csv", "columns": ["ID"]}).status_code == 403
    assert PATH not in staff_browser.get(USERS).content.decode()


def test_who_may_not_see_users_exports_none(staff, staff_browser, user):
    permissions = Permission.objects.filter(codename__in=["view_user", "change_user"])
    staff.user_permissions.remove(*permissions)
    assert staff_browser.get(PATH).status_code == 403


@pytest.mark.parametrize("query", ["?password__startswith=x", "?e=1", "?status=%00", "?p=9999"])
def test_a_forged_filter_is_no_server_error(root_browser, user, query):
    assert root_browser.get(PATH + query).status_code in (200, 302, 400)


@pytest.mark.parametrize("chosen", [{"format": "ods"}, {"columns": ["password"]}, {"columns": []}])
def test_what_it_does_not_offer_is_refused_at_its_field(root_browser, user, chosen):
    page = root_browser.post(PATH, {"format": "csv", "columns": ["ID"], **chosen})
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()


def test_names_of_attributes_are_text_on_the_page(root_browser, db):
    ChoiceFactory(name="<script>alert(1)</script>")
    assert "<script>alert(1)" not in root_browser.get(PATH).content.decode()
