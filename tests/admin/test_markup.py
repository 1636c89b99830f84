"""Texts of operators and callers are text on every page, never markup."""

import pytest
from django.utils.html import escape

from tests.admin.pages import fields
from tests.factories import ChoiceFactory, MembershipFactory, TeamFactory, UserFactory, issue_token
from users.acting import acting
from users.models import AccessToken, Change, Membership

# With what Python's ways of formatting would take for their own.
MARKUP = '<script>alert("{0} {x} %s %(x)s")</script>'
ADMIN = "/admin/users/"


@pytest.fixture
def member(db):
    """A user of whom each text is markup, in a team and under definitions that are too."""
    team = TeamFactory(name=f"team{MARKUP}")
    member = UserFactory(
        first_name=f"first{MARKUP}",
        last_name=f"last{MARKUP}",
        login_id=f"login{MARKUP}",
        job_description=f"job{MARKUP}",
        custom_attributes={MARKUP: f"choice{MARKUP}", f"undefined{MARKUP}": f"value{MARKUP}"},
        skill_attributes={f"skill{MARKUP}": [f"item{MARKUP}"]},
    )
    MembershipFactory(user=member, team=team)
    issue_token(team, name=f"token{MARKUP}")
    return member


@pytest.fixture
def definition(member):
    choices = [f"choice{MARKUP}", f"other{MARKUP}"]
    return ChoiceFactory(name=MARKUP, choices=choices, description=f"description{MARKUP}")


def assert_is_text(response, *texts):
    content = response.content.decode()
    assert response.status_code == 200
    assert "<script>alert" not in content
    for text in texts:
        assert escape(text + MARKUP) in content


def test_on_the_page_of_a_user(root_browser, member, definition):
    path = f"{ADMIN}user/{member.pk}/"
    shown = ("first", "last", "job", "description", "choice", "undefined", "skill", "team")
    assert_is_text(root_browser.get(f"{path}change/"), *shown)
    data = fields(root_browser.get(f"{path}change/"), "user_form")
    data |= {f"custom_{definition.pk}": f"wrong{MARKUP}", "memberships-0-team": f"wrong{MARKUP}"}
    assert_is_text(root_browser.post(f"{path}change/", data), *shown, "wrong")
    assert_is_text(root_browser.get(f"{path}delete/"), "login")
    assert_is_text(root_browser.get(f"{path}password/"), "login")
    assert_is_text(root_browser.get(f"{path}history/"), "login")


def test_on_the_pages_of_the_history(root_browser, member, definition):
    token = AccessToken.objects.get()
    with acting("api", by=token):
        member.custom_attributes = {MARKUP: f"after{MARKUP}", f"new{MARKUP}": f"value{MARKUP}"}
        member.skill_attributes = {}
        member.last_name = f"other{MARKUP}"
        member.save()
    shown = ("", "choice", "after", "undefined", "new", "skill", "last", "other", "token", "team")
    path = f"{ADMIN}user/{member.pk}/history/"
    assert_is_text(root_browser.get(path), "login", *shown)
    filters = {"login_id": f"login{MARKUP}", "by": f"token{MARKUP}"}
    assert_is_text(root_browser.get(f"{ADMIN}change/", {"login_id": f"login{MARKUP}"}), *shown)
    assert_is_text(root_browser.get(f"{ADMIN}change/", filters), "login", "token", "after")
    change = Change.objects.latest("id")
    assert_is_text(
        root_browser.get(f"{ADMIN}change/{change.pk}/change/"), "login", "token", "after"
    )
    # With what has no field: in a message.
    undo = root_browser.get(f"{ADMIN}user/{member.pk}/change/?undo={change.pk}")
    assert_is_text(undo, "choice", "undefined", "skill")
    token.delete()
    member.delete()
    assert_is_text(root_browser.get(f"{ADMIN}change/"), "login", "token", "team")


def test_on_the_page_of_a_user_for_who_may_only_look(staff_browser, staff, member, definition):
    member.is_superuser = True
    member.save()
    shown = ("choice", "undefined", "value", "skill", "item")
    assert_is_text(staff_browser.get(f"{ADMIN}user/{member.pk}/change/"), *shown)


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("user", ["first", "team", "choice", "other"]),
        ("team", ["team"]),
        ("membership", ["login", "team"]),
        ("accesstoken", ["token", "team"]),
        ("attributedefinition", ["", "choice", "description"]),
    ],
)
def test_on_each_list(root_browser, member, definition, model, shown):
    assert_is_text(root_browser.get(f"{ADMIN}{model}/"), *shown)


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("team", ["team"]),
        ("membership", ["login", "team"]),
        ("accesstoken", ["token", "team"]),
        ("attributedefinition", ["", "choice", "description"]),
    ],
)
def test_on_each_page(root_browser, member, definition, model, shown):
    [key] = {
        "team": [member.teams.get().pk],
        "membership": [member.memberships.get().pk],
        "accesstoken": [AccessToken.objects.get().pk],
        "attributedefinition": [definition.pk],
    }[model]
    path = f"{ADMIN}{model}/{key}/"
    assert_is_text(root_browser.get(f"{path}change/"), *shown)
    assert_is_text(root_browser.get(f"{path}delete/"), shown[0])
    root_browser.post(f"{path}change/", fields(root_browser.get(f"{path}change/"), f"{model}_form"))
    # The message that it was saved.
    assert_is_text(root_browser.get(f"{ADMIN}{model}/"), shown[0])
    assert_is_text(root_browser.get(f"{path}history/"))


def test_on_the_pages_of_bulk_actions(root_browser, member, definition):
    path = f"{ADMIN}user/"
    data = {"_selected_action": [member.pk], "confirmed": "yes"}
    assert_is_text(root_browser.post(path, {**data, "action": "add_to_team"}), "team")
    data |= {"action": "set_custom_attribute", "definition": definition.pk}
    asked = root_browser.post(path, data)
    assert_is_text(asked, "", "description", "choice")
    data |= {"asked": definition.pk, "value": f"wrong{MARKUP}"}
    assert_is_text(root_browser.post(path, data), "wrong")


def test_in_the_messages_of_bulk_actions(staff_browser, member):
    member.is_superuser = True
    member.save()
    data = {"action": "activate", "_selected_action": [member.pk], "confirmed": "yes"}
    assert_is_text(staff_browser.post(f"{ADMIN}user/", data, follow=True), "login")


@pytest.mark.parametrize("model", ["user", "team", "membership", "accesstoken"])
def test_before_what_is_selected_is_deleted(root_browser, member, definition, model):
    keys = {
        "user": [member.pk],
        "team": [member.teams.get().pk],
        "membership": [Membership.objects.get().pk],
        "accesstoken": [AccessToken.objects.get().pk],
    }[model]
    data = {"action": "delete_selected", "_selected_action": keys}
    assert_is_text(root_browser.post(f"{ADMIN}{model}/", data))


@pytest.mark.parametrize("action", ["revoke", "rotate"])
def test_on_the_pages_of_an_access_token(root_browser, member, action):
    token = AccessToken.objects.get()
    data = {"action": action, "_selected_action": [token.pk]}
    assert_is_text(root_browser.post(f"{ADMIN}accesstoken/", data))
    data |= {"confirmed": "yes", "hours": "1"}
    assert_is_text(root_browser.post(f"{ADMIN}accesstoken/", data, follow=True))


def test_before_choices_that_users_hold_are_removed(root_browser, member, definition):
    path = f"{ADMIN}attributedefinition/{definition.pk}/change/"
    data = {**fields(root_browser.get(path), "attributedefinition_form"), "choices": "x"}
    assert_is_text(root_browser.post(path, data), "choice")
