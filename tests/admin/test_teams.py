"""The pages of teams and their members."""

from tests.admin.pages import fields, send
from tests.factories import MembershipFactory, UserFactory
from users.models import Membership, Team

TEAMS = "/admin/users/team/"
MEMBERS = "/admin/users/membership/"


def test_a_team_is_made(root_browser):
    send(root_browser, f"{TEAMS}add/", "team_form", name="Support")
    assert Team.objects.get().name == "Support"


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
    assert "__all__" in response.context["adminform"].form.errors
    assert Membership.objects.count() == 1


def test_a_deleted_team_leaves_its_members(root_browser, user, team):
    root_browser.post(f"{TEAMS}{team.pk}/delete/", {"post": "yes"})
    assert not Membership.objects.exists()
    assert type(user).objects.filter(pk=user.pk).exists()
    assert not Team.objects.exists()
