"""The teams on a user's page."""

import re

import pytest

from tests.admin.pages import fields, save_user, user_page
from tests.database import stored
from tests.factories import MembershipFactory, TeamFactory
from users.models import Membership


@pytest.mark.parametrize("count", [50, 250])
def test_a_user_in_many_teams_is_saved(root_browser, user, count):
    teams = TeamFactory.create_batch(count - 1)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    assert save_user(root_browser, user, first_name="Zoë").status_code == 302
    assert stored(user).first_name == "Zoë"
    assert user.memberships.count() == count


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
