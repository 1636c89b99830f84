"""The admin site as an operator meets it."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from playwright.sync_api import expect

from tests.admin.conftest import browser_of
from tests.assertions import assert_refused, assert_updated
from tests.browser.screenshots import screenshot
from tests.factories import (
    PASSWORD,
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    UserFactory,
)
from users.models import AccessToken, Membership, Session

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
LIST = "/admin/users/user/"


@pytest.fixture
def administrator(db):
    return AdministratorFactory(login_id="Ada", first_name="Ada", is_superuser=True)


def log_in(page, name="ada", password=PASSWORD):
    page.goto("/admin/login/?next=/admin/")
    page.get_by_label("Login id or email").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def in_admin(page):
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.fixture
def root(page, administrator):
    """The page of an administrator who is logged in."""
    log_in(page)
    in_admin(page)
    return page


def test_an_operator_edits_a_user_and_the_call_shows_it(root, call, user, business):
    seniority = AttributeDefinitionFactory(kind="skill", name="seniority", type="number")
    root.goto(f"{LIST}{user.pk}/change/")
    root.get_by_label("business:").select_option("Banking")
    root.get_by_label("seniority:").fill("7")
    screenshot(root, "user")
    root.get_by_role("button", name="Save", exact=True).click()
    expect(root.get_by_text("was changed successfully")).to_be_visible()
    assert_updated(
        call({"last_name": "R"}),
        custom_attributes={"business": "Banking"},
        skill_attributes={"chess": 3, seniority.name: 7},
    )


def test_a_wrong_value_posted_by_hand_is_refused_at_its_field(root, user, business):
    root.goto(f"{LIST}{user.pk}/change/")
    root.evaluate("document.querySelector('option[value=Banking]').value = 'Bakery'")
    root.get_by_label("business:").select_option("Bakery")
    root.get_by_role("button", name="Save", exact=True).click()
    row = root.locator(f".field-custom_{business.pk}")
    expect(row).to_contain_text(
        "Select a valid choice. Bakery is not one of the available choices."
    )
    screenshot(root, "refused")
    assert User.objects.get(pk=user.pk).custom_attributes == {"business": "Retail"}


def test_a_token_is_shown_once_copied_and_used(root, call, team):
    root.context.grant_permissions(["clipboard-read", "clipboard-write"])
    root.goto("/admin/users/accesstoken/add/")
    root.get_by_label("Name:").fill("CRM")
    root.locator(f"#id_teams_from option[value='{team.pk}']").dblclick()
    root.get_by_role("button", name="Save", exact=True).click()
    root.get_by_role("button", name="Copy").click()
    expect(root.get_by_role("button", name="Copied")).to_be_visible()
    screenshot(root, "token")
    root.set_viewport_size({"width": 390, "height": 900})
    assert root.evaluate("document.documentElement.scrollWidth") <= 390
    secret = root.evaluate("navigator.clipboard.readText()")
    bearer = {"Authorization": f"Bearer {secret}"}
    assert_updated(call({"first_name": "B"}, headers=bearer))

    def seen():
        inputs = root.locator("input").evaluate_all("all => all.map(input => input.value)")
        return root.content() + " ".join(inputs)

    assert secret in seen()
    root.reload()
    assert secret not in seen()
    root.go_back()
    assert secret not in seen()
    root.go_forward()
    assert secret not in seen()
    root.goto(f"/admin/users/accesstoken/{AccessToken.objects.get(name='CRM').pk}/change/")
    assert secret not in seen()
    assert AccessToken.objects.filter(name="CRM").count() == 1
    assert_updated(call({"first_name": "C"}, headers=bearer))
    assert secret not in str(root.context.cookies())


def test_a_token_stands_in_no_table_and_no_log(root, team, caplog):
    caplog.set_level("DEBUG")
    root.goto("/admin/users/accesstoken/add/")
    root.get_by_label("Name:").fill("CRM")
    root.locator(f"#id_teams_from option[value='{team.pk}']").dblclick()
    root.get_by_role("button", name="Save", exact=True).click()
    secret = root.get_by_label("Access token").input_value()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert secret not in str(cursor.fetchall()), table
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert secret not in str(sessions)
    assert LogEntry.objects.exists()
    assert secret not in caplog.text


@pytest.fixture
def colleague(new_page, team):
    """A second administrator, a member of `team`, and a page where he is logged in."""
    colleague = AdministratorFactory(login_id="bea")
    MembershipFactory(user=colleague, team=team)
    page = new_page()
    log_in(page, "bea")
    in_admin(page)
    return colleague, page


def deactivate_by_the_call(root, call, colleague):
    assert_updated(call({"status": "inactive"}, path=f"/api/users/{colleague.pk}"))


def deactivate_by_the_form(root, call, colleague):
    root.goto(f"{LIST}{colleague.pk}/change/")
    root.get_by_label("Status:").select_option("inactive")
    root.get_by_role("button", name="Save", exact=True).click()
    expect(root.get_by_text("was changed successfully")).to_be_visible()


def deactivate_by_the_bulk_action(root, call, colleague):
    root.goto(f"{LIST}?q=bea")
    root.locator("input[name=_selected_action]").check()
    root.get_by_label("Action:").select_option("deactivate")
    root.get_by_role("button", name=re.compile("Go|Run")).click()
    expect(root.get_by_role("heading", name=re.compile("Deactivate 1 user?"))).to_be_visible()
    screenshot(root, "confirm")
    root.get_by_role("button", name="Yes, I’m sure").click()
    expect(root.get_by_text("Changed 1 user.")).to_be_visible()


@pytest.mark.parametrize(
    "deactivate", [deactivate_by_the_call, deactivate_by_the_form, deactivate_by_the_bulk_action]
)
def test_a_deactivated_user_is_thrown_out_at_the_next_click(root, call, colleague, deactivate):
    colleague, page = colleague
    deactivate(root, call, colleague)
    page.reload()
    expect(page.get_by_label("Password")).to_be_visible()
    assert not User.objects.get(pk=colleague.pk).logged_in


def test_log_in_by_email_works_while_the_box_is_ticked(root, new_page):
    other = AdministratorFactory(login_id="bea", email_id="bea@desk.example")

    def tick(ticked):
        root.goto(f"{LIST}{other.pk}/change/")
        root.get_by_label("May log in with the email address").set_checked(ticked)
        root.get_by_role("button", name="Save", exact=True).click()
        expect(root.get_by_text("was changed successfully")).to_be_visible()

    tick(True)
    page = new_page()
    log_in(page, "BEA@desk.example")
    in_admin(page)
    tick(False)
    page = new_page()
    log_in(page, "BEA@desk.example")
    expect(page.get_by_text("of an administrator account")).to_be_visible()
    log_in(page, "bea")
    in_admin(page)


def test_five_wrong_passwords_lock_out_and_the_page_says_for_how_long(page, administrator):
    for _ in range(5):
        log_in(page, password="wrong")
    expect(page.get_by_text("for 15 minutes after the last failure")).to_be_visible()
    screenshot(page, "locked-out")
    log_in(page)
    expect(page.get_by_role("heading", name="Too many failed log-ins")).to_be_visible()
    expect(page).to_have_title("Too many failed log-ins | Desk users")


def test_the_list_of_ten_thousand_users_opens(root, team, business):
    def queries():
        # In this thread: the live server's connection is another's.
        count = []

        def counted(execute, *arguments):
            count.append(1)
            return execute(*arguments)

        with connection.execute_wrapper(counted):
            assert browser_of(User.objects.get(login_id="Ada")).get(LIST).status_code == 200
        return len(count)

    def add(number):
        start = User.objects.count()
        users = User.objects.bulk_create(
            UserFactory.build_batch(number, password="!", custom_attributes={"business": "Retail"})
        )
        Membership.objects.bulk_create(Membership(user=user, team=team) for user in users)
        assert User.objects.count() == start + number

    add(10)
    few = queries()
    add(9_990)
    assert queries() == few
    root.goto(LIST)
    expect(root.locator(".paginator").first).to_contain_text("10001 users")
    screenshot(root, "list")


def test_a_staff_user_without_superuser_rights_finds_no_field_of_rights(new_page, user):
    staff = AdministratorFactory(login_id="cy")
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="users"))
    page = new_page()
    log_in(page, "cy")
    for target in (staff, user):
        page.goto(f"{LIST}{target.pk}/change/")
        # As somebody with the browser's own tools would post it.
        page.evaluate(
            """() => {
                const form = document.getElementById("user_form");
                for (const [name, value] of [
                    ["is_superuser", "on"], ["role_type", "Administrative"],
                    ["groups", "1"], ["user_permissions", "1"],
                ]) {
                    const input = document.createElement("input");
                    Object.assign(input, {type: "hidden", name, value});
                    form.append(input);
                }
            }"""
        )
        page.get_by_label("First name").fill("Zoë")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        saved = User.objects.get(pk=target.pk)
        assert (saved.first_name, saved.is_superuser) == ("Zoë", False)
        assert saved.role_type == target.role_type
        assert saved.user_permissions.count() == target.user_permissions.count()


PAGES = [
    "/admin/",
    LIST,
    f"{LIST}add/",
    f"{LIST}%(user)s/change/",
    "/admin/users/team/",
    "/admin/users/membership/",
    "/admin/users/accesstoken/add/",
    "/admin/users/attributedefinition/%(business)s/change/",
]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_pages_fit_the_screen_and_raise_no_error(
    new_page, administrator, user, business, width, color_scheme
):
    ChoiceFactory(kind="skill", name="languages", type="multiple_choice", description="Spoken")
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=color_scheme)
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    log_in(page)
    in_admin(page)
    for path in PAGES:
        page.goto(path % {"user": user.pk, "business": business.pk})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        screenshot(
            page, f"{width}-{color_scheme}{path % {'user': 'x', 'business': 'x'}}".replace("/", "-")
        )
    assert failures == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 384) == (color_scheme == "dark")


def test_the_list_shows_all_its_columns_at_1280(new_page, administrator, user):
    page = new_page(viewport={"width": 1280, "height": 900})
    log_in(page)
    page.goto(LIST)
    expect(page.get_by_role("columnheader", name="Active chats")).to_be_in_viewport(ratio=1)


def test_a_user_is_edited_with_the_keyboard_alone(page, administrator, user, business):
    page.goto("/admin/login/?next=/admin/")
    expect(page.get_by_label("Login id or email")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    in_admin(page)
    page.goto(f"{LIST}{user.pk}/change/")

    def tab_to(locator):
        for _ in range(60):
            if locator.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        raise AssertionError("the keyboard does not reach it")

    tab_to(page.get_by_label("business:"))
    page.keyboard.type("Bank")
    tab_to(page.get_by_role("button", name="Save", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert User.objects.get(pk=user.pk).custom_attributes == {"business": "Banking"}


def test_a_revoked_token_is_refused_by_the_call(root, call, token):
    root.goto("/admin/users/accesstoken/")
    root.locator("input[name=_selected_action]").check()
    root.get_by_label("Action:").select_option("revoke")
    root.get_by_role("button", name=re.compile("Go|Run")).click()
    root.get_by_role("button", name="Yes, I’m sure").click()
    expect(root.get_by_text("Revoked 1 access token:")).to_be_visible()
    assert_refused(call({"first_name": "B"}), 2003)
