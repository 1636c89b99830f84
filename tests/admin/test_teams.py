"""The pages of teams and their members."""

import html

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import browser_of
from tests.admin.pages import errors, fields, send
from tests.factories import MembershipFactory, TeamFactory, UserFactory
from users.models import AccessToken, Membership, Team

TEAMS = "/admin/users/team/"
MEMBERS = "/admin/users/membership/"


def test_a_team_is_made(root_browser):
    send(root_browser, f"{TEAMS}add/", "team_form", name="Support")
    assert Team.objects.get().name == "Support"


@pytest.mark.parametrize("name", ["support", "SUPPORT", "\uff33upport"])
def test_the_name_of_a_team_is_its_own_whatever_the_case(root_browser, name):
    TeamFactory(name="Support")
    response = send(root_browser, f"{TEAMS}add/", "team_form", name=name)
    assert errors(response) == {"name": ["A team with this name already exists."]}
    with pytest.raises(IntegrityError), transaction.atomic():
        TeamFactory(name=name)


def test_a_team_keeps_its_name_in_another_case(root_browser, team):
    path = f"{TEAMS}{team.pk}/change/"
    assert send(root_browser, path, "team_form", name=team.name.upper()).status_code == 302
    assert Team.objects.get().name == team.name.upper()


def test_the_name_of_a_team_is_seen(root_browser):
    response = send(root_browser, f"{TEAMS}add/", "team_form", name="\u200b")
    assert errors(response) == {"name": ["Must have a character that can be seen."]}


@pytest.mark.parametrize("read", [Team.objects.all(), Team.objects.only("name")])
def test_a_name_that_is_saved_alone_is_a_teams_own_too(team, read):
    renamed = read.get()
    renamed.name = "Support"
    renamed.save(update_fields=None if renamed.get_deferred_fields() else ["name"])
    with pytest.raises(IntegrityError), transaction.atomic():
        TeamFactory(name="SUPPORT")


def test_the_number_of_members_leads_to_them(root_browser, user, team):
    MembershipFactory(team=team)
    MembershipFactory()
    link = f'<a href="{MEMBERS}?team__id__exact={team.pk}">2 members</a>'
    assert link in root_browser.get(TEAMS).content.decode()
    assert link in root_browser.get(f"{TEAMS}{team.pk}/change/").content.decode()
    shown = root_browser.get(f"{MEMBERS}?team__id__exact={team.pk}").context["cl"].result_list
    assert {membership.team for membership in shown} == {team}


def test_the_lists_cost_no_query_for_each_row(root_browser, team, django_assert_max_num_queries):
    for _ in range(20):
        MembershipFactory(team=team)
        MembershipFactory()
    # the session, its user, how many (twice), the teams with their numbers of members
    with django_assert_max_num_queries(5):
        root_browser.get(TEAMS)
    # the same for memberships; those of the form (1); the teams for the filter (2)
    with django_assert_max_num_queries(8):
        root_browser.get(MEMBERS)


def test_a_role_is_changed_in_the_list(root_browser, user, team):
    data = fields(root_browser.get(MEMBERS), "changelist-form")
    data |= {"form-0-role": "Team Manager", "_save": "Save"}
    root_browser.post(MEMBERS, data)
    assert Membership.objects.get().role == "Team Manager"


def test_a_member_is_added_once(root_browser, team):
    user = UserFactory()
    data = {"user": user.pk, "team": team.pk, "role": "Team Agent"}
    for _ in range(2):
        response = send(root_browser, f"{MEMBERS}add/", "membership_form", **data)
    assert errors(response) == {"__all__": ["This user is in this team already."]}
    assert Membership.objects.count() == 1


def test_a_membership_that_is_changed_stays_the_only_one(root_browser, user, team):
    other = MembershipFactory(user=user)
    path = f"{MEMBERS}{other.pk}/change/"
    response = send(root_browser, path, "membership_form", team=team.pk)
    assert errors(response) == {"__all__": ["This user is in this team already."]}


def test_a_role_that_was_changed_meanwhile_stays_in_the_list(root_browser, user):
    other = MembershipFactory()
    data = fields(root_browser.get(MEMBERS), "changelist-form") | {"_save": "Save"}
    number = next(n for n in range(2) if data[f"form-{n}-id"] == [str(other.pk)])
    Membership.objects.filter(user=user).update(role="Team Analyst")
    root_browser.post(MEMBERS, data | {f"form-{number}-role": "Team Manager"})
    assert Membership.objects.get(user=user).role == "Team Analyst"
    assert Membership.objects.get(pk=other.pk).role == "Team Manager"


@pytest.mark.parametrize("page", ["list", "membership"])
def test_a_role_that_was_changed_meanwhile_is_asked_about(root_browser, user, page):
    membership = user.memberships.get()
    path = MEMBERS if page == "list" else f"{MEMBERS}{membership.pk}/change/"
    form = "changelist-form" if page == "list" else "membership_form"
    role = "form-0-role" if page == "list" else "role"
    data = fields(root_browser.get(path), form) | {role: "Team Manager", "_save": "Save"}
    Membership.objects.update(role="Team Analyst")
    response = root_browser.post(path, data)
    assert "this was changed to “Team Analyst”" in response.content.decode()
    assert Membership.objects.get().role == "Team Analyst"
    root_browser.post(path, fields(response, form) | {"_save": "Save"})
    assert Membership.objects.get().role == "Team Manager"


def test_a_deleted_team_leaves_its_members(root_browser, user, team):
    root_browser.post(f"{TEAMS}{team.pk}/delete/", {"post": "yes"})
    assert not Membership.objects.exists()
    assert type(user).objects.filter(pk=user.pk).exists()
    assert not Team.objects.exists()


@pytest.mark.parametrize("page", ["team", "teams"])
def test_before_a_team_is_deleted_the_page_names_the_tokens_that_lose_it(root_browser, team, page):
    other = TeamFactory()
    AccessToken.objects.issue("Off", [team])[0].revoke()
    one, _ = AccessToken.objects.issue("HR", [team, other])
    only, _ = AccessToken.objects.issue("<b>CRM</b>", [team])
    if page == "team":
        response = root_browser.get(f"{TEAMS}{team.pk}/delete/")
    else:
        data = {"action": "delete_selected", "_selected_action": [team.pk]}
        response = root_browser.post(TEAMS, data)
    text = html.unescape(response.content.decode())
    assert f"The access token HR (…{one.hint}) loses this team." in text
    assert (
        f"The access token <b>CRM</b> (…{only.hint}) loses its only team: whoever uses it is let "
        "in no more."
    ) in text
    assert "<b>CRM" not in response.content.decode()
    assert "relationship" not in text
    assert "Off" not in text


@pytest.mark.parametrize("page", ["team", "teams", "user", "users"])
def test_what_goes_with_a_deletion_costs_no_query_for_each(root_browser, user, team, page):
    def cost():
        kind, target = ("team", team) if page.startswith("team") else ("user", user)
        path = f"/admin/users/{kind}/"
        data = {"action": "delete_selected", "_selected_action": [target.pk]}
        with CaptureQueriesContext(connection) as queries:
            if page == kind:
                response = root_browser.get(f"{path}{target.pk}/delete/")
            else:
                response = root_browser.post(path, data)
        return len(queries), html.unescape(response.content.decode())

    browser_of(user)
    few, page_of_few = cost()
    assert f"{user.login_id} in {team.name}" in page_of_few
    for _ in range(30):
        MembershipFactory(team=team)
        MembershipFactory(user=user)
        browser_of(user)
    many, page_of_many = cost()
    assert many <= few + 2  # their number, and whether some are superusers' or sessions
    assert f"{user.login_id} in {team.name}" not in page_of_many
    assert "Memberships: 31" in page_of_many


# Memberships of superusers, which are a superuser's alone.

REFUSAL = "Only superusers can change the account of a superuser (root)."


@pytest.fixture
def membership(superuser, team):
    return MembershipFactory(user=superuser, team=team, role="Team Manager")


def memberships():
    return set(Membership.objects.values_list("user__login_id", "team", "role"))


def test_nobody_else_changes_a_superusers_role_in_the_list(staff_browser, membership):
    MembershipFactory(user__login_id="agent", team=membership.team)
    data = fields(staff_browser.get(MEMBERS), "changelist-form")
    before = memberships()
    for number in range(2):
        changed = data | {f"form-{number}-role": "Team Analyst", "_save": "Save"}
        staff_browser.post(MEMBERS, changed)
    assert before - memberships() == {("agent", membership.team.pk, "Team Agent")}


def test_nobody_else_makes_a_superuser_a_member(staff_browser, superuser, team):
    data = {"user": superuser.pk, "team": team.pk, "role": "Team Agent"}
    response = send(staff_browser, f"{MEMBERS}add/", "membership_form", **data)
    assert errors(response) == {"__all__": [REFUSAL]}
    assert not memberships()


def test_nobody_else_turns_a_membership_into_a_superusers(staff_browser, superuser, user, team):
    path = f"{MEMBERS}{user.memberships.get().pk}/change/"
    response = send(staff_browser, path, "membership_form", user=superuser.pk)
    assert errors(response) == {"__all__": [REFUSAL]}


def test_nobody_else_changes_or_deletes_a_superusers_membership(staff_browser, membership):
    path = f"{MEMBERS}{membership.pk}/"
    data = {"user": membership.user.pk, "team": membership.team.pk, "role": "Team Agent"}
    selected = {"action": "delete_selected", "_selected_action": [membership.pk], "post": "yes"}
    team = f"{TEAMS}{membership.team.pk}/delete/"
    before = memberships()
    assert staff_browser.post(f"{path}change/", data).status_code == 403
    assert staff_browser.post(f"{path}delete/", {"post": "yes"}).status_code == 403
    assert staff_browser.post(MEMBERS, selected).status_code == 403
    assert staff_browser.post(team, {"post": "yes"}).status_code == 403
    assert memberships() == before


def test_nobody_else_changes_a_superusers_membership_on_the_page_of_the_user(
    staff_browser, membership
):
    path = f"/admin/users/user/{membership.user.pk}/change/"
    data = {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": membership.pk,
        "memberships-0-user": membership.user.pk,
        "memberships-0-team": membership.team.pk,
        "memberships-0-role": "Team Agent",
    }
    before = memberships()
    assert staff_browser.post(path, data).status_code == 403
    assert memberships() == before


def test_a_superuser_changes_a_superusers_membership(root_browser, membership):
    path = f"{MEMBERS}{membership.pk}/"
    send(root_browser, f"{path}change/", "membership_form", role="Team Analyst")
    assert memberships() == {("root", membership.team.pk, "Team Analyst")}
    root_browser.post(f"{path}delete/", {"post": "yes"})
    assert not memberships()


def test_a_clerk_changes_the_memberships_of_others(staff_browser, user, team):
    path = f"{MEMBERS}{user.memberships.get().pk}/change/"
    other = TeamFactory()
    send(staff_browser, path, "membership_form", team=other.pk, role="Team Analyst")
    assert memberships() == {(user.login_id, other.pk, "Team Analyst")}
