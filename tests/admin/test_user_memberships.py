"""The teams on a user's page."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import browser_of
from tests.admin.pages import fields, save_user, user_page
from tests.database import data_statements, stored
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    MembershipFactory,
    TeamFactory,
)
from users.models import Membership


@pytest.mark.parametrize("count", [50, 250])
def test_a_user_in_many_teams_is_saved(root_browser, user, count):
    teams = TeamFactory.create_batch(count - 1)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    assert save_user(root_browser, user, first_name="Zoë").status_code == 302
    assert stored(user).first_name == "Zoë"
    assert user.memberships.count() == count


def test_teams_are_found_by_name(staff_browser):
    for name in ("Second line", "First line", "Other"):
        TeamFactory(name=name)
    field = {"app_label": "users", "model_name": "membership", "field_name": "team"}
    found = staff_browser.get("/admin/autocomplete/", {**field, "term": "line"}).json()["results"]
    assert [team["text"] for team in found] == ["First line", "Second line"]


@pytest.mark.parametrize("codename", ["view_user", "change_user"])
def test_who_sees_users_but_no_memberships_sees_their_teams(user, team, codename):
    clerk = AdministratorFactory()
    clerk.user_permissions.set(Permission.objects.filter(codename=codename))
    membership = user.memberships.get()
    page = browser_of(clerk).get(user_page(user)).content.decode()
    assert f"{team.name} ({membership.get_role_display()})" in page
    assert "memberships-0" not in page
    assert "users/membership" not in page
    teams = [TeamFactory(name=f"z {number}") for number in range(60)]
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    page = browser_of(clerk).get(user_page(user)).content.decode()
    assert "and 11 more" in page
    assert "users/membership" not in page


def test_many_memberships_are_edited_in_their_list(root_browser, user):
    teams = TeamFactory.create_batch(60)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    MembershipFactory()
    page = root_browser.get(user_page(user)).content.decode()
    assert "memberships-0-role" not in page
    [link] = re.findall(r'<a href="([^"]*)">61 teams</a>', page)
    assert root_browser.get(link).context["cl"].result_count == 61


def test_memberships_of_a_page_with_few_are_saved_when_there_are_many(root_browser, user, team):
    data = fields(root_browser.get(user_page(user)), "user_form")
    teams = TeamFactory.create_batch(60)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    data |= {"memberships-0-role": "Team Manager"}
    root_browser.post(user_page(user), data)
    assert Membership.objects.get(user=user, team=team).role == "Team Manager"


def test_memberships_are_edited_with_the_user(root_browser, user, team):
    other = TeamFactory()
    save_user(
        root_browser,
        user,
        **{
            "memberships-TOTAL_FORMS": "2",
            "memberships-0-role": "Team Manager",
            "memberships-1-team": other.pk,
            "memberships-1-role": "Team Analyst",
            "memberships-1-user": user.pk,
        },
    )
    roles = set(Membership.objects.filter(user=user).values_list("team", "role"))
    assert roles == {(team.pk, "Team Manager"), (other.pk, "Team Analyst")}


def opened(browser, user, **changes):
    """Open the user's page; return what it sends with `changes`, to be saved later."""
    return fields(browser.get(user_page(user)), "user_form") | changes


def with_row(data, team):
    """Return what a page sends with one row more, for `team`."""
    number = int(data["memberships-TOTAL_FORMS"][0])
    row = {"id": "", "user": "", "team": team.pk, "role": "Team Analyst"}
    named = {f"memberships-{number}-{name}": value for name, value in row.items()}
    return {**data, **named, "memberships-TOTAL_FORMS": number + 1}


def roles(user):
    return dict(Membership.objects.filter(user=user).values_list("team", "role"))


def row_errors(response):
    """Return the errors of each row of memberships on the page that is shown again."""
    assert response.status_code == 200, "the form was accepted"
    [inline] = response.context["inline_admin_formsets"]
    shown = response.content.decode()
    for form in inline.formset.forms:
        for text in (text for texts in form.errors.values() for text in texts):
            assert text in shown
    return [dict(form.errors) for form in inline.formset.forms]


def test_a_team_that_was_added_meanwhile_is_added_once(root_browser, user, team):
    other = TeamFactory()
    data = with_row(opened(root_browser, user), other)
    assert root_browser.post(user_page(user), data).status_code == 302
    response = root_browser.post(user_page(user), data)
    assert row_errors(response) == [{}, {"__all__": ["This user is in this team already."]}]
    assert roles(user) == {team.pk: "Team Agent", other.pk: "Team Analyst"}


def test_a_membership_that_ended_meanwhile_keeps_nothing_from_being_saved(root_browser, user):
    other = MembershipFactory(user=user, role="Team Manager")
    data = opened(root_browser, user, job_description="Lead")
    user.memberships.exclude(pk=other.pk).delete()
    added = MembershipFactory(user=user)
    assert root_browser.post(user_page(user), data).status_code == 302
    assert stored(user).job_description == "Lead"
    assert roles(user) == {other.team.pk: "Team Manager", added.team.pk: "Team Agent"}


def test_a_membership_that_ended_meanwhile_is_not_made_again_unasked(root_browser, user, team):
    other = MembershipFactory(user=user)
    data = opened(root_browser, user, **{"memberships-0-role": "Team Manager"})
    user.memberships.filter(team=team).delete()
    response = root_browser.post(user_page(user), data)
    sentence = (
        "The user was removed from this team meanwhile: save again to add the user to it, or "
        "remove this row."
    )
    assert row_errors(response) == [{}, {"__all__": [sentence]}]
    assert roles(user) == {other.team.pk: "Team Agent"}
    # Each row stands beside what it is about.
    originals = re.findall(r'<td class="original">(.*?)</td>', response.content.decode(), re.DOTALL)
    assert [other.team.name in text for text in originals] == [True, False, False]
    root_browser.post(user_page(user), fields(response, "user_form"))
    assert roles(user) == {other.team.pk: "Team Agent", team.pk: "Team Manager"}


def test_a_membership_that_ended_meanwhile_is_deleted(root_browser, user):
    data = opened(root_browser, user, **{"memberships-0-DELETE": "on"})
    user.memberships.all().delete()
    assert root_browser.post(user_page(user), data).status_code == 302
    assert not roles(user)


def test_a_new_row_is_saved_beside_one_that_ended_meanwhile(root_browser, user):
    other = TeamFactory()
    data = with_row(opened(root_browser, user), other)
    user.memberships.all().delete()
    assert root_browser.post(user_page(user), data).status_code == 302
    assert roles(user) == {other.pk: "Team Analyst"}


def test_a_role_that_was_changed_meanwhile_is_asked_about(root_browser, user, team):
    data = opened(root_browser, user, **{"memberships-0-role": "Team Manager"})
    user.memberships.update(role="Team Analyst")
    response = root_browser.post(user_page(user), data)
    sentence = (
        "Since you opened this page, this was changed to “Team Analyst”. You entered "
        "“Team Manager”. Save again to overwrite the change."
    )
    assert row_errors(response) == [{"role": [sentence]}]
    assert roles(user) == {team.pk: "Team Analyst"}
    root_browser.post(user_page(user), fields(response, "user_form"))
    assert roles(user) == {team.pk: "Team Manager"}


def test_the_largest_page_costs_no_query_for_each_row(root_browser, user):
    TeamFactory.create_batch(200)
    AttributeDefinitionFactory.create_batch(500)
    for team in TeamFactory.create_batch(49):
        MembershipFactory(user=user, team=team)
    with CaptureQueriesContext(connection) as queries:
        page = root_browser.get(user_page(user))
    # 1, 2. the session, and its user
    # 3 to 5. the superusers, the user, the definitions
    # 6 to 8. how many memberships there are, asked by each part of the page
    # 9, 10. the user's groups and permissions
    # 11, 12. the teams, and how many
    # 13. the memberships with their teams
    # 14, 15. all groups and permissions
    statements = data_statements(queries)
    assert len(statements) <= 15, statements
    data = fields(page, "user_form") | {"first_name": "Zoë"}
    with CaptureQueriesContext(connection) as queries:
        assert root_browser.post(user_page(user), data).status_code == 302
    # as for a user in one team (`test_user_form`)
    statements = data_statements(queries)
    assert len(statements) <= 18, statements
