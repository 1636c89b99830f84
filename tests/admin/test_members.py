"""The members of a team: their list, and what is done to several at once."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import browser_of
from tests.admin.pages import fields, messages, user_page
from tests.database import forget_creations
from tests.factories import AdministratorFactory, MembershipFactory, TeamFactory, UserFactory
from users.admin.memberships import MembershipAdmin
from users.models import Change, Membership

MEMBERS = "/admin/users/membership/"
ADD = f"{MEMBERS}add-members/"


def roles(team):
    return dict(team.memberships.values_list("user__login_id", "role"))


def act(browser, action, memberships, **changes):
    """Choose `action` for `memberships`, and confirm it."""
    selected = {"action": action, "_selected_action": [each.pk for each in memberships]}
    page = browser.post(MEMBERS, selected)
    done = browser.post(MEMBERS, {**fields(page), **changes}, follow=True)
    if "preview" in fields(page):  # the next page says how many will change
        done = browser.post(MEMBERS, fields(done), follow=True)
    return page, done


def add(browser, team, users, role="Team Agent"):
    entered = {"team": team.pk, "users": [user.pk for user in users], "role": role}
    return browser.post(ADD, entered, follow=True)


@pytest.fixture
def members(team):
    members = [
        MembershipFactory(user__login_id=f"member{number}", team=team) for number in range(3)
    ]
    forget_creations()
    return members


def test_the_list_has_fifty_a_page_with_links_to_the_users(root_browser, team):
    user = MembershipFactory(team=team, user__login_id="aaron").user  # on the first page
    Membership.objects.bulk_create(
        Membership(user=other, team=team) for other in UserFactory.create_batch(60)
    )
    with CaptureQueriesContext(connection) as queries:
        page = root_browser.get(f"{MEMBERS}?team__id__exact={team.pk}")
    content = page.content.decode()
    assert len(page.context["cl"].result_list) == 50
    assert f'<a href="{user_page(user)}">{user.login_id}</a>' in content
    assert f"<h1>Members of {team}</h1>" in content
    # 1 to 3. the session, its user, the team
    # 4 to 6. the members on the page, and how many (twice)
    # 7. those of the form
    # 8, 9. the teams for the filter
    assert len(queries) <= 9


def test_members_are_found_by_name(root_browser, team, members):
    page = root_browser.get(f"{MEMBERS}?team__id__exact={team.pk}&q=member1")
    assert [row.user.login_id for row in page.context["cl"].result_list] == ["member1"]


def test_who_may_not_see_users_gets_no_link_and_adds_none(db, members):
    clerk = AdministratorFactory()
    names = ("view_membership", "add_membership")
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    browser = browser_of(clerk)
    content = browser.get(MEMBERS).content.decode()
    assert "member1" in content
    assert "/admin/users/user/" not in content
    assert "add-members" not in content
    assert browser.get(ADD).status_code == 403


def test_the_role_of_several_is_changed(staff, staff_browser, team, members):
    Membership.objects.filter(pk=members[0].pk).update(role="Team Manager")
    asked, done = act(staff_browser, "change_role", members, role="Team Manager")
    assert "Change the role of 3 members?" in asked.content.decode()
    assert messages(done) == ["Changed 2 memberships. 1 unchanged."]
    assert set(roles(team).values()) == {"Team Manager"}
    changes = Change.objects.filter(action="updated", by_id=staff.pk)
    assert changes.count() == 2
    assert len({change.trxid for change in changes}) == 1


def test_several_are_removed(staff_browser, team, members):
    data = {"action": "delete_selected", "_selected_action": [each.pk for each in members[:2]]}
    staff_browser.post(MEMBERS, {**data, "post": "yes"})
    assert list(roles(team)) == ["member2"]


def test_several_are_added_and_members_keep_their_role(staff_browser, team, members):
    Membership.objects.filter(pk=members[0].pk).update(role="Team Manager")
    new = UserFactory(login_id="new")
    done = add(staff_browser, team, [members[0].user, new], "Team Analyst")
    assert messages(done) == ["Added 1 user. 1 was a member already, and keeps the role."]
    assert (roles(team)["new"], roles(team)["member0"]) == ("Team Analyst", "Team Manager")


def test_the_button_knows_the_team(root_browser, team, user):
    page = root_browser.get(f"{MEMBERS}?team__id__exact={team.pk}").content.decode()
    [link] = re.findall(r'<a href="([^"]*add-members[^"]*)"', page)
    assert fields(root_browser.get(link))["team"] == [str(team.pk)]


def test_added_members_are_in_the_history(staff, staff_browser, team, user):
    other = TeamFactory()
    add(staff_browser, other, [user])
    change = Change.objects.filter(user_id=user.pk).first()
    assert change.after == {"memberships": {str(other.pk): "Team Agent"}}
    assert change.by_id == staff.pk


@pytest.mark.parametrize("team_key", ["", "x", "-1", str(2**70), "999"])
def test_a_team_that_is_none_is_refused(root_browser, user, team_key):
    data = {"team": team_key, "users": [user.pk], "role": "Team Agent"}
    assert root_browser.get(ADD, {"team": team_key}).status_code == 200
    assert "team" in root_browser.post(ADD, data).context["form"].errors


@pytest.mark.parametrize("key", ["", "x", "-1", str(2**70), "999", "1\0"])
def test_a_user_who_is_none_is_refused(root_browser, team, key):
    data = {"team": team.pk, "users": [key], "role": "Team Agent"}
    assert "users" in root_browser.post(ADD, data).context["form"].errors


# Superusers, whose memberships are a superuser's alone.


def test_nobody_else_adds_a_superuser(staff_browser, root_browser, superuser, team, user):
    refused = add(staff_browser, team, [superuser])
    assert "users" in refused.context["form"].errors
    assert "root" not in roles(team)
    add(root_browser, team, [superuser])
    assert "root" in roles(team)


def test_before_roles_change_the_page_says_how_many_do(staff_browser, team, members):
    Membership.objects.filter(pk=members[0].pk).update(role="Team Manager")
    sent = {"action": "change_role", "_selected_action": [each.pk for each in members]}
    sent |= {"confirmed": "yes", "preview": "yes", "role": "Team Manager"}
    page = staff_browser.post(MEMBERS, sent).content.decode()
    assert "Role: Team Manager. 2 memberships will change. 1 unchanged." in page
    assert set(roles(team).values()) == {"Team Manager", "Team Agent"}


def test_nobody_else_changes_the_role_of_a_superuser(staff_browser, superuser, team, members):
    own = MembershipFactory(user=superuser, team=team)
    _, done = act(staff_browser, "change_role", [own, *members], role="Team Manager")
    [message] = messages(done)
    assert message.endswith("Nothing was changed.")
    assert set(roles(team).values()) == {"Team Agent"}


def test_nobody_else_removes_a_superuser(staff_browser, superuser, team, members):
    own = MembershipFactory(user=superuser, team=team)
    data = {"action": "delete_selected", "_selected_action": [own.pk], "post": "yes"}
    staff_browser.post(MEMBERS, data)
    assert "root" in roles(team)


@pytest.mark.parametrize("missing", ["change_membership", "delete_membership"])
def test_an_action_takes_its_permission(db, members, missing):
    names = {"view_membership", "change_membership", "delete_membership"} - {missing}
    clerk = AdministratorFactory()
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    content = browser_of(clerk).get(MEMBERS).content.decode()
    assert ("change_role" in content) == (missing != "change_membership")
    assert ("delete_selected" in content) == (missing != "delete_membership")


def test_a_role_is_changed_by_statements_of_a_bounded_length(root_browser, team):
    users = UserFactory.build_batch(1_001)
    get_user_model().objects.bulk_create(users)
    Membership.objects.bulk_create(Membership(user=user, team=team) for user in users)
    forget_creations()
    sent = {"action": "change_role", "select_across": "1", "confirmed": "yes"}
    sent |= {"_selected_action": team.memberships.first().pk, "role": "Team Analyst"}
    with CaptureQueriesContext(connection) as queries:
        done = root_browser.post(MEMBERS, sent)
    assert done.status_code == 302
    assert team.memberships.filter(role="Team Analyst").count() == 1_001
    assert max(query["sql"].count(", ") for query in queries if "UPDATE" in query["sql"]) < 1_001
    assert Change.objects.filter(door="admin").count() == 1_001


def test_more_members_than_a_page_can_list_are_not_removed_at_once(
    root_browser, members, monkeypatch
):
    monkeypatch.setattr(MembershipAdmin, "MAX_DELETED", 2)
    selected = {"action": "delete_selected", "_selected_action": [each.pk for each in members]}
    for answered in ({}, {"post": "yes"}):
        page = root_browser.post(MEMBERS, selected | answered, follow=True)
        assert messages(page) == ["At most 2 can be deleted at once, and 3 are selected."]
    assert Membership.objects.count() == 3
