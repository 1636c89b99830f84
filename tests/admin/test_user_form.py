"""A user's page: what is saved, and what is refused."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, F
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import browser_of
from tests.admin.pages import USERS, errors, fields, save_user, user_page
from tests.database import data_statements, row, store, stored
from tests.factories import AttributeDefinitionFactory, ChoiceFactory
from users.admin import UserAdmin
from users.models import Membership, Session

User = get_user_model()


def test_a_form_that_is_sent_as_it_stands_changes_nothing(root_browser, user, business):
    AttributeDefinitionFactory(kind="skill", name="text", type="text")
    AttributeDefinitionFactory(kind="skill", name="yes", type="boolean")
    AttributeDefinitionFactory(kind="skill", name="rate", type="number")
    ChoiceFactory(kind="skill", name="several", type="multiple_choice")
    ChoiceFactory(kind="skill", name="one", choices=["a\nb", "c"])
    ChoiceFactory(
        kind="skill", name="many", type="multiple_choice", choices=["a\r\nb", "c\rd", "e"]
    )
    skills = {"text": " two\nlines ", "yes": False, "rate": 1e300, "several": [], "new": [1, True]}
    skills |= {"one": "a\nb", "many": ["c\rd", "a\r\nb"]}
    User.objects.filter(pk=user.pk).update(
        custom_attributes={"business": "Bakery", "nobody's": 1},
        skill_attributes=skills,
        first_name=" Asha ",
        job_description="Team lead\nBerlin",
    )
    before = row(user)
    assert save_user(root_browser, user).status_code == 302
    assert row(user) == before


def test_a_stored_value_that_is_not_touched_blocks_nothing(root_browser, user):
    User.objects.filter(pk=user.pk).update(first_name="", email_id="none")
    assert save_user(root_browser, user, last_name="Lovelace").status_code == 302
    assert (stored(user).last_name, stored(user).email_id) == ("Lovelace", "none")


@pytest.mark.parametrize("where", ["job_description", "last_name", "attribute"])
def test_a_stored_line_break_is_shown_and_edited(root_browser, user, where):
    note = AttributeDefinitionFactory(name="note")
    name = where if where != "attribute" else f"custom_{note.pk}"
    store(user, **{where: "A\nB"} if name == where else {"custom_attributes": {"note": "A\nB"}})
    page = fields(root_browser.get(user_page(user)), "user_form")
    assert page[name] == ["A\r\nB"]
    assert save_user(root_browser, user, **{name: "A\r\nB\r\nC"}).status_code == 302
    saved = stored(user)
    assert (getattr(saved, where, None) or saved.custom_attributes["note"]) == "A\nB\nC"


def test_a_conflict_shows_line_breaks(root_browser, user):
    data = fields(root_browser.get(user_page(user)), "user_form") | {"job_description": "AB"}
    store(user, job_description="A\nB")
    [sentence] = errors(root_browser.post(user_page(user), data))["job_description"]
    assert "changed to “A ↵ B”. You entered “AB”" in sentence


HUGE = str(10**30)


@pytest.mark.parametrize(
    "sent",
    [
        {"groups": [HUGE]},
        {"user_permissions": [HUGE]},
        {"_shown_values": f'{{"groups": ["{HUGE}"]}}'},
        {"initial-groups": [HUGE]},
        {"memberships-0-id": HUGE},
        {"memberships-0-team": HUGE},
        {"memberships-0-user": HUGE},
        {"memberships-TOTAL_FORMS": HUGE},
    ],
    ids=lambda sent: "".join(sent),
)
def test_a_number_that_no_key_has_is_refused(root_browser, user, sent):
    assert save_user(root_browser, user, **sent).status_code in (200, 302)
    assert Membership.objects.filter(user=user).count() == 1


def test_the_page_shows_the_id_that_the_api_takes(root_browser, call, user):
    page = root_browser.get(user_page(user)).content.decode()
    shown = re.search(r'class="[^"]*field-shown_id.*?class="readonly">(.*?)</div>', page, re.DOTALL)
    assert call.path == f"/api/users/{shown[1]}"


def test_a_saved_change_moves_updated_at(root_browser, user):
    save_user(root_browser, user, first_name="Zoë")
    assert stored(user).updated_at > user.updated_at


def test_a_refused_change_is_titled_with_the_stored_user(root_browser, user):
    response = save_user(root_browser, user, login_id="ROOT")
    assert (response.context["subtitle"], str(response.context["original"])) == (
        user.login_id,
        user.login_id,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("login_id", "ROOT"), ("email_id", "Root@desk.example")],
)
def test_a_name_that_is_taken_is_refused_at_its_field(root_browser, user, field, value):
    assert list(errors(save_user(root_browser, user, **{field: value}))) == [field]


def test_a_deactivation_ends_the_sessions(root_browser, user):
    browser_of(user)
    save_user(root_browser, user, status="inactive")
    assert not Session.objects.filter(user=user).exists()


def test_saving_reads_the_users_row_once_and_the_definitions_once(root_browser, user, business):
    data = fields(root_browser.get(user_page(user)), "user_form") | {"first_name": "Zoë"}
    with CaptureQueriesContext(connection) as queries:
        assert root_browser.post(user_page(user), data).status_code == 302
    statements = [sql.replace("`", '"') for sql in data_statements(queries)]
    definitions = [sql for sql in statements if 'FROM "users_attributedefinition"' in sql]
    rows = [
        sql for sql in statements if re.match('SELECT .*"skill_attributes".* FROM "users_u', sql)
    ]
    assert len(definitions) == 1
    # The operator's own; the user's; both, locked; and the user's as it is then.
    assert len(rows) == 4
    # 1, 2. the session, and its user
    # 3. the user
    # 4. the superusers, locked
    # 5. the user and the operator, locked
    # 6. the user as it is then
    # 7. the definitions
    # 8, 9. the user's groups and permissions
    # 10, 11. whether the login id and the email are another's
    # 12, 13. the memberships, and their team
    # 14 to 16. the membership, its team and its constraint, validated
    # 17 to 19. the columns that change as they were, the update, and its line in the history
    # 20. the admin's own log
    assert len(statements) <= 20, statements


@pytest.mark.parametrize(
    "extend",
    [
        lambda users: users.annotate(number_of_teams=Count("memberships")),
        lambda users: users.annotate(team=F("memberships__team__name")),
    ],
)
def test_the_queryset_of_a_project_may_have_what_no_database_locks(
    monkeypatch, root_browser, user, extend
):
    ours = UserAdmin.get_queryset
    monkeypatch.setattr(UserAdmin, "get_queryset", lambda *args: extend(ours(*args)))
    assert save_user(root_browser, user, first_name="Zoë").status_code == 302
    assert root_browser.get(f"{USERS}{user.pk}/password/").status_code == 200
    assert stored(user).first_name == "Zoë"
