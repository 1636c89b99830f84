"""A new operator changes agents in a spreadsheet."""

import openpyxl
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from playwright.sync_api import expect

from tests.browser.screenshots import screenshot
from tests.browser.test_admin_site import log_in
from tests.browser.test_every_page import serious
from tests.factories import AdministratorFactory, MembershipFactory, UserFactory
from users.models import Change

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(page):
    """The page of a new operator, who is logged in."""
    call_command("create_groups", verbosity=0)
    olga = AdministratorFactory(login_id="olga")
    olga.groups.add(Group.objects.get(name="Operators"))
    log_in(page, "olga")
    return page


@pytest.fixture
def agents(team, business):
    agents = [UserFactory(custom_attributes={"business": "Retail"}) for _ in range(12)]
    for agent in agents:
        MembershipFactory(user=agent, team=team)
    return agents


def test_ten_cells_are_changed_in_a_spreadsheet(operator, agents, tmp_path):
    operator.goto("/admin/users/user/?q=agent")
    operator.get_by_role("link", name="Export").click()
    screenshot(operator, "export")
    with operator.expect_download() as download:
        operator.get_by_role("button", name="Export").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)

    book = openpyxl.load_workbook(path)
    header, *rows = book.active.iter_rows()
    column = [cell.value for cell in header].index("custom:business")
    for row in rows[:10]:
        row[column].value = "Banking"
    book.save(path)

    operator.goto("/admin/users/user/")
    operator.get_by_role("link", name="Import").click()
    screenshot(operator, "import")
    operator.get_by_label("File:", exact=True).set_input_files(path)
    operator.get_by_role("button", name="Continue").click()
    expect(operator.get_by_text("New: 0. Changed: 10.")).to_be_visible()
    expect(operator.get_by_text("custom:business: Retail → Banking")).to_have_count(10)
    screenshot(operator, "import-preview")
    assert serious(operator) == []
    operator.get_by_role("button", name="Import 10 rows").click()
    expect(operator.get_by_text("Imported 10 users.")).to_be_visible()

    changed = get_user_model().objects.filter(custom_attributes={"business": "Banking"})
    assert changed.count() == 10
    assert Change.objects.filter(door="import", by_name="olga").count() == 10
    operator.goto(f"/admin/users/user/{changed.first().pk}/history/")
    row = operator.get_by_role("row").filter(has_text="Banking")
    expect(row).to_contain_text("import")
    screenshot(operator, "import-history")
