"""Pages that somebody has open while others change what they show: tokens, definitions, teams."""

import pytest
from django.contrib.auth.models import Permission

from tests.admin.conftest import browser_of
from tests.admin.pages import errors, fields, messages
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
)
from users.models import AccessToken


def test_a_grant_that_was_withdrawn_meanwhile_is_not_given_back(team):
    other = TeamFactory()
    token, _ = AccessToken.objects.issue("CRM", [team, other])
    clerk = AdministratorFactory()
    codenames = ["change_accesstoken", "view_accesstoken"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    browser, path = browser_of(clerk), f"/admin/users/accesstoken/{token.pk}/change/"
    page = fields(browser.get(path), "accesstoken_form")
    token.teams.remove(other)
    assert browser.post(path, {**page, "name": "CRM 2"}).status_code == 302
    token.refresh_from_db()
    assert (token.name, list(token.teams.all())) == ("CRM 2", [team])


def test_grants_that_two_change_are_asked_about(root_browser, team):
    first, second = TeamFactory.create_batch(2)
    token, _ = AccessToken.objects.issue("CRM", [team, first])
    path = f"/admin/users/accesstoken/{token.pk}/change/"
    page = fields(root_browser.get(path), "accesstoken_form")
    token.teams.remove(first)
    wanted = {**page, "teams": [team.pk, first.pk, second.pk]}
    asked = root_browser.post(path, wanted)
    assert "Save again to overwrite" in errors(asked)["teams"][0]
    assert list(token.teams.all()) == [team]
    again = {**fields(asked, "accesstoken_form")}
    assert root_browser.post(path, again).status_code == 302
    assert set(token.teams.all()) == {team, first, second}


@pytest.mark.parametrize("changed", ["description", "choices"])
def test_choices_that_were_added_meanwhile_stay_or_are_asked_about(root_browser, db, changed):
    definition = ChoiceFactory(choices=["A", "B"])
    path = f"/admin/users/attributedefinition/{definition.pk}/change/"
    page = fields(root_browser.get(path), "attributedefinition_form")
    type(definition).objects.update(choices=["A", "B", "C"])
    entered = {"description": "Where", "choices": "A\r\nB\r\nD"}[changed]
    response = root_browser.post(path, {**page, changed: entered})
    definition.refresh_from_db()
    assert definition.choices == ["A", "B", "C"]
    if changed == "choices":
        assert "Save again to overwrite" in errors(response)["choices"][0]
    else:
        assert definition.description == "Where"


def test_a_definition_that_is_saved_as_it_stands_changes_nothing(root_browser, db):
    definition = AttributeDefinitionFactory(description="a\nb")
    path = f"/admin/users/attributedefinition/{definition.pk}/change/"
    page = fields(root_browser.get(path), "attributedefinition_form")
    assert root_browser.post(path, page).status_code == 302
    definition.refresh_from_db()
    assert definition.description == "a\nb"


@pytest.mark.parametrize(
    ("make", "path", "field"),
    [
        (lambda text: TeamFactory(name=text), "team", "name"),
        (lambda text: AccessToken.objects.create(name=text), "accesstoken", "name"),
        (
            lambda text: AttributeDefinitionFactory(description=text),
            "attributedefinition",
            "description",
        ),
    ],
)
def test_stored_line_breaks_are_shown_and_kept_when_the_text_is_edited(
    root_browser, team, make, path, field
):
    made = make("a\nb")
    if path == "accesstoken":
        made.teams.add(team)
    url = f"/admin/users/{path}/{made.pk}/change/"
    page = fields(root_browser.get(url), f"{path}_form")
    assert page[field] == ["a\r\nb"]
    assert root_browser.post(url, {**page, field: "a\r\nc"}).status_code == 302
    made.refresh_from_db()
    assert getattr(made, field) == "a\nc"


def test_a_row_of_the_list_that_was_deleted_meanwhile_is_an_error_that_is_seen(root_browser, db):
    one, other = MembershipFactory(), MembershipFactory()
    path = "/admin/users/membership/"
    page = fields(root_browser.get(path), "changelist-form")
    one.delete()
    data = {**page, "form-0-role": "Team Manager", "form-1-role": "Team Manager", "_save": "Save"}
    response = root_browser.post(path, data, follow=True)
    assert messages(response) == ["A row was deleted since you opened the list. Nothing was saved."]
    other.refresh_from_db()
    assert other.role == "Team Agent"


def test_a_role_on_the_page_of_a_membership_is_asked_about(root_browser, db):
    membership = MembershipFactory()
    path = f"/admin/users/membership/{membership.pk}/change/"
    page = fields(root_browser.get(path), "membership_form")
    type(membership).objects.update(role="Team Manager")
    response = root_browser.post(path, {**page, "role": "Team Analyst"})
    assert "Save again to overwrite" in errors(response)["role"][0]


def roles(*memberships):
    return [type(each).objects.get(pk=each.pk).role for each in memberships]


def open_list(browser, *memberships):
    """Return what the list of memberships sends as it stands, and the field of each one's role."""
    page = fields(browser.get("/admin/users/membership/"), "changelist-form")
    rows = {page[f"form-{n}-id"][0]: f"form-{n}-role" for n in range(len(memberships))}
    return {**page, "_save": "Save"}, [rows[str(each.pk)] for each in memberships]


def test_a_role_that_was_changed_meanwhile_stays_where_another_row_is_changed(root_browser, db):
    ann, bob = MembershipFactory.create_batch(2)
    page, (_, bobs) = open_list(root_browser, ann, bob)
    type(ann).objects.filter(pk=ann.pk).update(role="Team Manager")
    response = root_browser.post("/admin/users/membership/", {**page, bobs: "Team Analyst"})
    assert response.status_code == 302
    assert roles(ann, bob) == ["Team Manager", "Team Analyst"]


def test_a_role_in_the_list_that_two_change_is_asked_about(root_browser, db):
    path = "/admin/users/membership/"
    ann, bob = MembershipFactory.create_batch(2)
    page, (anns, bobs) = open_list(root_browser, ann, bob)
    type(ann).objects.filter(pk=ann.pk).update(role="Team Manager")
    asked = root_browser.post(path, {**page, anns: "Team Analyst", bobs: "Team Analyst"})
    [error] = [form.errors for form in asked.context["cl"].formset if form.errors]
    assert "Save again to overwrite" in error["role"][0]
    assert "this was changed to “Team Manager”" in asked.content.decode()
    assert roles(ann, bob) == ["Team Manager", "Team Agent"]
    again = {**fields(asked, "changelist-form"), "_save": "Save"}
    type(bob).objects.filter(pk=bob.pk).update(role="Team Manager")  # the other row is asked about
    asked = root_browser.post(path, again)
    assert roles(ann, bob) == ["Team Manager", "Team Manager"]
    again = {**fields(asked, "changelist-form"), "_save": "Save"}
    assert root_browser.post(path, again).status_code == 302
    assert roles(ann, bob) == ["Team Analyst", "Team Analyst"]


def test_a_teams_name_that_was_changed_meanwhile_is_asked_about(root_browser, team):
    path = f"/admin/users/team/{team.pk}/change/"
    page = fields(root_browser.get(path), "team_form")
    type(team).objects.update(name="Sales")
    response = root_browser.post(path, {**page, "name": "Support"})
    assert "Save again to overwrite" in errors(response)["name"][0]
