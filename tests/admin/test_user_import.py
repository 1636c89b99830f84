"""The pages that import users: upload, preview, confirm."""

import io
import re

import openpyxl
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils.html import escape

from tests.admin.pages import USERS, fields
from tests.database import stored
from tests.factories import (
    AdministratorFactory,
    ChoiceFactory,
    TeamFactory,
    UserFactory,
)
from users.admin import import_preview, user_import
from users.models import Change, Invitation, Membership
from users.spreadsheets import reading, writing

PATH = f"{USERS}import/"


def csv_of(*lines):
    return SimpleUploadedFile("users.csv", ("\n".join(lines) + "\n").encode())


def upload(browser, *lines, **fields_):
    """Upload rows, and return the page that answers."""
    return browser.post(PATH, {"file": csv_of(*lines), **fields_})


def confirm(browser, preview):
    return browser.post(PATH, fields(preview), follow=True)


def text_of(page):
    """Return what the page says, without markup."""
    text = re.sub(r"(?s)<(script|style).*?</\1>|<.*?>", " ", page.content.decode())
    return re.sub(r"\s+", " ", text)


def test_the_list_leads_to_it(root_browser):
    assert f'href="{PATH}"' in root_browser.get(USERS).content.decode()


def test_the_page_says_how_cells_are_read_and_which_columns_there_are(root_browser, business):
    text = text_of(root_browser.get(PATH))
    assert "An empty cell leaves the value as it is. A cell with - clears it." in text
    for name in ("First Name", "Login ID", "Team", "Role", "custom:business"):
        assert name in text


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_template_has_the_columns(root_browser, business, format_):
    response = root_browser.get(f"{PATH}template.{format_}")
    [(_, header)] = reading.rows(io.BytesIO(b"".join(response.streaming_content)))
    assert header[:4] == ["First Name", "Last Name", "Login ID", "Email ID"]
    assert header[-1] == "custom:business"


def test_the_preview_says_what_each_row_would_do_and_nothing_is_done(root_browser, user, business):
    page = upload(
        root_browser,
        "Login ID,First Name,Last Name,Status,custom:business",
        f"{user.login_id},Ann,-,,Banking",
        f"{user.login_id}x,,,,",
        "ben@desk.example,Ben,,inactive,Fish",
        "eve@desk.example,Eve,,,Retail",
    )
    text = text_of(page)
    assert "New: 1. Changed: 1. Unchanged: 0. Refused: 2." in text
    assert f"2 {user.login_id} changed First Name: Asha → Ann" in text
    assert "Last Name: Rao → cleared" in text
    assert "custom:business: Retail → Banking" in text
    assert "refused B3 A new user needs a First Name." in text
    assert "refused E4 Must be one of: &#x27;Retail&#x27;, &#x27;Banking&#x27;." in text
    assert "5 eve@desk.example new Login ID: eve@desk.example First Name: Eve" in text
    assert stored(user).first_name == "Asha"
    assert not get_user_model().objects.filter(first_name="Eve").exists()


def test_what_was_previewed_is_what_is_then_done(root_browser, superuser, user, business):
    preview = upload(
        root_browser,
        "Login ID,First Name,custom:business",
        f"{user.login_id},Ann,Banking",
        "eve@desk.example,Eve,Retail",
    )
    page = confirm(root_browser, preview)
    assert page.redirect_chain == [(USERS, 302)]
    assert "Imported 2 users." in text_of(page)
    assert stored(user).custom_attributes == {"business": "Banking"}
    eve = get_user_model().objects.get(first_name="Eve")
    assert not eve.has_usable_password()
    changes = Change.objects.filter(user_id__in=[user.pk, eve.pk], door="import")
    assert {change.action for change in changes} == {"updated", "created"}
    assert {(change.by_type, change.by_id) for change in changes} == {("user", superuser.pk)}
    assert len({change.trxid for change in changes}) == 1


def test_only_the_right_rows_are_imported_where_the_operator_says_so(root_browser, user):
    preview = upload(root_browser, "Login ID,First Name", f"{user.login_id},Ann", "nobody,Nobody")
    assert "Import only the right row" in preview.content.decode()
    confirm(root_browser, preview)
    assert stored(user).first_name == "Ann"


def test_a_user_who_changed_in_between_is_told_and_not_overwritten(root_browser, user):
    other = UserFactory()
    rows = [f"{each.login_id},Ann" for each in (user, other)]
    preview = upload(root_browser, "Login ID,First Name", *rows)
    user.last_name = "Iyer"
    user.save()
    page = confirm(root_browser, preview)
    assert "Nothing was imported" in text_of(page)
    assert "This user was changed after the preview" in text_of(page)
    assert [stored(each).first_name for each in (user, other)] == ["Asha", "Asha"]
    # With a wrong row, the operator has said that the others are to be imported.
    preview = upload(root_browser, "Login ID,First Name", *rows, "nobody,")
    other.last_name = "Roy"
    other.save()
    page = confirm(root_browser, preview)
    assert "Imported 1 user." in text_of(page)
    assert "This user was changed after the preview" in text_of(page)
    assert [stored(each).first_name for each in (user, other)] == ["Ann", "Asha"]


def test_chats_that_come_and_go_are_no_change_in_between(root_browser, user):
    preview = upload(root_browser, "Login ID,First Name", f"{user.login_id},Ann")
    user.active_chats = 7
    user.save()
    confirm(root_browser, preview)
    assert stored(user).first_name == "Ann"


def test_a_user_who_was_made_in_between_is_told(root_browser):
    preview = upload(root_browser, "Login ID,First Name", "eve@desk.example,Eve")
    eve = UserFactory(login_id="EVE@desk.example", email_id="other@desk.example")
    page = confirm(root_browser, preview)
    assert "This user was created after the preview." in text_of(page)
    assert stored(eve).first_name == "Asha"


def test_a_preview_that_is_confirmed_twice_is_done_once(root_browser, user):
    preview = upload(
        root_browser, "Login ID,First Name", f"{user.login_id},Ann", "a@desk.example,B"
    )
    confirm(root_browser, preview)
    count = Change.objects.count()
    page = text_of(confirm(root_browser, preview))
    assert "This user was changed after the preview" in page
    assert "This user was created after the preview." in page
    assert Change.objects.count() == count


def test_a_role_that_changed_in_between_is_told(root_browser, user, team):
    preview = upload(
        root_browser, "Login ID,Team,Role", f"{user.login_id},{team.name},Team Manager"
    )
    Membership.objects.filter(user=user).update(role="Team Analyst")
    assert "changed after the preview" in text_of(confirm(root_browser, preview))
    assert Membership.objects.get(user=user).role == "Team Analyst"


def test_new_users_join_the_chosen_team_and_are_invited(
    root_browser, team, settings, mailoutbox, at_once, django_capture_on_commit_callbacks
):
    settings.PUBLIC_URL = "https://desk.example"
    preview = upload(
        root_browser, "Login ID,First Name", "eve@desk.example,Eve", team=team.pk, invite="on"
    )
    assert f"Team: {team}: Team Agent" in text_of(preview)
    with django_capture_on_commit_callbacks(execute=True):
        confirm(root_browser, preview)
    assert Membership.objects.get(team=team).user.first_name == "Eve"
    assert [mail.to for mail in mailoutbox] == [["eve@desk.example"]]
    assert Invitation.objects.count() == 1


def test_where_no_mail_is_sent_none_is_offered(root_browser, settings):
    settings.PUBLIC_URL = ""
    assert 'name="invite"' not in root_browser.get(PATH).content.decode()


# Files.


def test_a_workbook_is_read(root_browser, user):
    content = b"".join(writing.xlsx_file(["ID", "First Name"], [[user.pk, "Ann"]]))
    preview = root_browser.post(PATH, {"file": SimpleUploadedFile("u.xlsx", content)})
    confirm(root_browser, preview)
    assert stored(user).first_name == "Ann"


def test_what_was_exported_is_unchanged(root_browser, user, business):
    export = root_browser.post(f"{USERS}export/", fields(root_browser.get(f"{USERS}export/")))
    file = SimpleUploadedFile("users.xlsx", b"".join(export.streaming_content))
    text = text_of(root_browser.post(PATH, {"file": file}))
    assert "New: 0. Changed: 0. Unchanged: 2. Refused: 0." in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Login ID,Phone\n", "There is no column “Phone”. There are: ID, First Name"),
        (b"Login ID,First Name\nzo\xeb,Zo\xeb\n", "say which encoding it has"),
        (b"PK\x03\x04no", "This is not a workbook that can be read"),
        (b"Login ID\n" + b"x\n" * 4, "The file has more than 3 rows: use manage.py import_users."),
        (b"x" * 2000, "The file has more than 0 MB"),
        (b"", "The submitted file is empty."),
    ],
    ids=lambda value: value[:20],
)
def test_a_file_that_cannot_be_imported_is_refused_at_its_field(
    root_browser, content, message, monkeypatch
):
    monkeypatch.setattr(user_import, "MAX_ROWS", 3)
    monkeypatch.setattr(user_import, "MAX_FILE_SIZE", 1000)
    page = root_browser.post(PATH, {"file": SimpleUploadedFile("users.csv", content)})
    assert page.status_code == 200
    assert escape(message) in page.content.decode()


def test_a_file_of_another_encoding_is_read_if_the_operator_names_it(root_browser, user):
    content = f"Login ID,First Name\n{user.login_id},Zoë\n".encode("cp1252")
    file = SimpleUploadedFile("users.csv", content)
    confirm(root_browser, root_browser.post(PATH, {"file": file, "encoding": "windows-1252"}))
    assert stored(user).first_name == "Zoë"


def test_a_long_text_that_many_rows_of_a_workbook_name_is_refused(root_browser, user):
    book = openpyxl.Workbook()
    book.active.append(["Login ID", "Created At"])
    for _ in range(400):
        book.active.append([user.login_id, "x" * 32_000])  # which is stored once
    file = io.BytesIO()
    book.save(file)
    upload = SimpleUploadedFile("users.xlsx", file.getvalue())
    assert "too much text" in text_of(root_browser.post(PATH, {"file": upload}))


def test_more_text_than_the_page_can_send_back_is_refused(root_browser, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5000
    rows = [f"a{n}@desk.example,{n * 7919 % 10007}" for n in range(300)]
    page = upload(root_browser, "Login ID,First Name", *rows)
    assert "The file has too much text for this page" in page.content.decode()


def test_texts_of_a_file_are_text_on_the_page(root_browser, user):
    markup = "<script>alert(1)</script>"
    page = upload(
        root_browser,
        "Login ID,First Name,Status",
        f"{user.login_id},{markup},",
        f"x,{markup},{markup}",
        f"{markup},,",
    )
    assert markup not in page.content.decode()
    assert escape(markup) in page.content.decode()
    assert markup not in upload(root_browser, f"Login ID,{markup}").content.decode()


# Who may do what.


def test_it_has_a_permission_of_its_own(staff, staff_browser, user):
    assert staff_browser.get(PATH).status_code == 200
    preview = upload(staff_browser, "Login ID,First Name", f"{user.login_id},Ann")
    staff.user_permissions.remove(Permission.objects.get(codename="import_user"))
    assert staff_browser.get(PATH).status_code == 403
    assert staff_browser.get(f"{PATH}template.csv").status_code == 403
    assert staff_browser.post(PATH, fields(preview)).status_code == 403
    assert stored(user).first_name == "Asha"


@pytest.mark.parametrize(
    ("missing", "header", "row", "message"),
    [
        ("add_user", "Login ID,First Name", "eve@desk.example,Eve", "You may not add users."),
        ("change_user", "Login ID,First Name", "{user},Ann", "You may not change users."),
        ("add_membership", "Login ID,Team", "{user},Sales", "You may not add users to teams."),
        (
            "change_membership",
            "Login ID,Team,Role",
            "{user},{team},Team Manager",
            "You may not change roles.",
        ),
    ],
)
def test_what_the_operator_may_not_do_is_refused(
    staff, staff_browser, user, team, missing, header, row, message
):
    TeamFactory(name="Sales")
    row = row.format(user=user.login_id, team=team.name)
    preview = upload(staff_browser, header, row)
    assert "Refused: 0." in text_of(preview)
    staff.user_permissions.remove(Permission.objects.get(codename=missing))
    assert message in text_of(upload(staff_browser, header, row))
    # Nor by a page from before the permission was taken away.
    count = Change.objects.count()
    assert message in text_of(confirm(staff_browser, preview))
    assert Change.objects.count() == count


@pytest.mark.parametrize(
    ("column", "cell"), [("First Name", "Ann"), ("Status", "inactive"), ("Team", "Sales")]
)
def test_a_superuser_is_changed_by_superusers_alone(staff_browser, superuser, column, cell):
    AdministratorFactory(is_superuser=True)
    TeamFactory(name="Sales")
    text = text_of(upload(staff_browser, f"Login ID,{column}", f"root,{cell}"))
    assert "Only superusers can change the account of a superuser" in text


def test_how_another_administrator_logs_in_is_changed_by_superusers_alone(staff_browser):
    other = AdministratorFactory()
    text = text_of(upload(staff_browser, "Login ID,Login Using Email", f"{other.login_id},yes"))
    assert "Only superusers can change how another administrator logs in." in text


def test_nobody_takes_away_their_own_access(staff, staff_browser):
    text = text_of(upload(staff_browser, "Login ID,Status", f"{staff.login_id},inactive"))
    assert "You cannot take away your own access." in text


def test_a_preview_is_confirmed_by_nobody_else(root_browser, staff_browser, user):
    preview = upload(staff_browser, "Login ID,First Name", f"{user.login_id},Ann")
    page = confirm(root_browser, preview)
    assert "The preview is more than an hour old" in text_of(page)
    assert stored(user).first_name == "Asha"


@pytest.mark.parametrize("forged", ["", "x", "eyJhIjoxfQ:1abcde:xyz", "\0"])
def test_a_forged_preview_does_nothing(root_browser, forged):
    page = root_browser.post(PATH, {"confirmation": forged}, follow=True)
    assert "upload the file again" in text_of(page)


def test_an_old_preview_does_nothing(root_browser, user, monkeypatch):
    preview = upload(root_browser, "Login ID,First Name", f"{user.login_id},Ann")
    monkeypatch.setattr(import_preview, "_MAX_AGE", -1)
    assert "more than an hour old" in text_of(confirm(root_browser, preview))
    assert stored(user).first_name == "Asha"


def test_a_preview_whose_column_is_no_longer_there_does_nothing(root_browser, user):
    definition = ChoiceFactory(name="level")
    preview = upload(root_browser, "Login ID,custom:level", f"{user.login_id},Retail")
    definition.delete()
    page = confirm(root_browser, preview)
    assert "Nothing was imported. There is no column “custom:level”." in text_of(page)


def test_a_preview_whose_team_is_no_longer_there_does_nothing(root_browser, team):
    preview = upload(root_browser, "Login ID,First Name", "eve@desk.example,Eve", team=team.pk)
    team.delete()
    assert "The team is no longer there." in text_of(confirm(root_browser, preview))


def test_many_rows_take_few_statements(root_browser, django_assert_max_num_queries):
    users = [UserFactory(login_id=f"old{n}") for n in range(30)]
    rows = [f"{user.login_id},Ann" for user in users]
    rows += [f"new{n}@desk.example,Bea" for n in range(30)]
    with django_assert_max_num_queries(20):
        preview = upload(root_browser, "Login ID,First Name", *rows)
    # An UPDATE for each user who is there; on PostgreSQL, one for all.
    with django_assert_max_num_queries(35 + (1 if connection.vendor == "postgresql" else 30)):
        root_browser.post(PATH, fields(preview))
    assert get_user_model().objects.filter(first_name="Bea").count() == 30
