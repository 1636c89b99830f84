"""What happens to a definition at the same moment: its page, the list, and a choice renamed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from tests.admin.conftest import browser_of
from tests.admin.pages import errors, fields
from tests.database import stored
from tests.factories import AdministratorFactory, ChoiceFactory, UserFactory
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from users.models import AttributeDefinition

pytestmark = [pytest.mark.django_db(transaction=True), on_postgresql]

LIST = "/admin/users/attributedefinition/"


@pytest.fixture
def root(db):
    return AdministratorFactory(is_superuser=True)


@pytest.fixture
def browser(root):
    return browser_of(root)


def rename(browser, definition):
    data = {"choice": "Retail", "new_name": "Shops", "confirmed": "rename"}
    return browser.post(f"{LIST}{definition.pk}/choices/", data)


@contextmanager
def waiting_for(definition, request):
    """Lock `definition` in the block, while `request` waits; yields what will be answered."""

    def send():
        try:
            return request()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        AttributeDefinition.objects.select_for_update().get(pk=definition.pk)
        answer = pool.submit(send)
        wait_until_somebody_waits_for_a_lock()
        yield answer


def test_a_page_that_waits_for_another_overwrites_none_of_its_choices(browser):
    definition = ChoiceFactory()
    path = f"{LIST}{definition.pk}/change/"
    data = fields(browser.get(path), "attributedefinition_form")
    data["choices"] = "Retail\r\nBanking\r\nTravel"
    with waiting_for(definition, lambda: browser.post(path, data)) as answer:
        AttributeDefinition.objects.filter(pk=definition.pk).update(choices=["Shops", "Banking"])
    assert list(errors(answer.result(30))) == ["choices"]
    definition.refresh_from_db()
    assert definition.choices == ["Shops", "Banking"]


def test_a_rename_locks_the_definition_before_any_user(root, browser):
    # Whoever saves the definition logs it, which refers to the superuser.
    definition = ChoiceFactory()
    UserFactory(custom_attributes={definition.name: "Retail"})
    with waiting_for(definition, lambda: rename(browser, definition)) as answer:
        list(get_user_model().objects.select_for_update(nowait=True))
    assert answer.result(30).status_code == 302


def test_a_definition_is_deleted_while_a_rename_waits(browser):
    definition = ChoiceFactory()
    with waiting_for(definition, lambda: rename(browser, definition)) as answer:
        definition.delete()
    assert answer.result(30).status_code == 302


def test_a_rename_that_has_become_a_replacement_asks_again(browser):
    definition = ChoiceFactory()
    holder = UserFactory(custom_attributes={definition.name: "Retail"})
    with waiting_for(definition, lambda: rename(browser, definition)) as answer:
        choices = ["Retail", "Shops"]
        AttributeDefinition.objects.filter(pk=definition.pk).update(choices=choices)
    assert "Replace “Retail” by “Shops” for 1 user?" in answer.result(30).content.decode()
    assert stored(holder).custom_attributes == {definition.name: "Retail"}


def test_a_list_of_positions_locks_the_definitions_before_it_saves_any(browser):
    first, last = ChoiceFactory(position=1), ChoiceFactory(position=2)
    path = f"{LIST}?o=-6"  # the last first
    page = fields(browser.get(path), "changelist-form")
    data = page | {"form-0-position": "8", "form-1-position": "9", "_save": "Save"}
    with waiting_for(first, lambda: browser.post(path, data)) as answer:
        list(AttributeDefinition.objects.filter(pk=last.pk).select_for_update(nowait=True))
    assert answer.result(30).status_code == 302
