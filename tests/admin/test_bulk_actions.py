"""What operators do to many users at once, through the door of a browser."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import browser_of
from tests.admin.pages import fields, messages
from tests.database import forget_creations
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.models import AttributeDefinition, Change, Membership

User = get_user_model()
LIST = "/admin/users/user/"


def stored(user):
    return User.objects.get(pk=user.pk)


def act(browser, action, users, query="", **changes):
    """Choose `action` for `users` in the list; returns the page that asks first, and the path."""
    data = {"action": action, "_selected_action": [user.pk for user in users], **changes}
    return browser.post(LIST + query, data)


def answer(browser, page, query="", **changes):
    """Send the form of a page, which shows its next page."""
    return browser.post(LIST + query, {**fields(page, None), **changes}, follow=True)


def confirm(browser, page, query="", **changes):
    """Send the form of a page, and confirm what the next page says of the effect."""
    page = answer(browser, page, query, **changes)
    return answer(browser, page, query) if 'class="effect"' in page.content.decode() else page


def test_a_bulk_action_asks_first(root_browser, user):
    page = act(root_browser, "deactivate", [user, UserFactory()])
    assert "Deactivate 2 users?" in page.content.decode()
    assert stored(user).is_active


def test_a_bulk_deactivation_has_all_its_consequences(root_browser):
    users = UserFactory.create_batch(2, accepting_chats=True)
    already = UserFactory(status="inactive")
    browser_of(users[0])
    page = act(root_browser, "deactivate", [*users, already])
    response = confirm(root_browser, page)
    assert messages(response) == ["Changed 2 users. 1 unchanged."]
    for user in users:
        saved = stored(user)
        assert (saved.status, saved.accepting_chats, saved.logged_in) == ("inactive", False, False)
        assert saved.updated_at > user.updated_at
    assert stored(already).updated_at == already.updated_at


def test_a_bulk_activation(root_browser):
    user = UserFactory(status="inactive")
    confirm(root_browser, act(root_browser, "activate", [user]))
    assert stored(user).is_active


def test_a_bulk_action_takes_more_users_than_a_page_or_a_form_has(root_browser):
    UserFactory.create_batch(1005)
    page = act(root_browser, "deactivate", [UserFactory()], "?q=agent", select_across="1")
    assert "Deactivate 1006 users?" in page.content.decode()
    confirm(root_browser, page, "?q=agent")
    assert User.objects.filter(status="active").count() == 1


def test_a_bulk_addition_to_a_team(root_browser, user, team):
    other = UserFactory()
    page = act(root_browser, "add_to_team", [user, other])
    Membership.objects.filter(user=user).update(role="Team Manager")
    response = confirm(root_browser, page, team=team.pk, role="Team Analyst")
    assert messages(response) == ["Changed 1 user. 1 unchanged."]
    roles = set(Membership.objects.values_list("user", "role"))
    assert roles == {(user.pk, "Team Manager"), (other.pk, "Team Analyst")}


def test_a_bulk_addition_makes_agents_unless_said_otherwise(root_browser, user, team):
    other = UserFactory()
    confirm(root_browser, act(root_browser, "add_to_team", [other]), team=team.pk)
    assert Membership.objects.get(user=other).role == "Team Agent"


def test_a_bulk_addition_without_a_team_asks_again(root_browser, user):
    page = act(root_browser, "add_to_team", [user])
    response = confirm(root_browser, page, team="", role="Team Agent")
    assert "This field is required." in response.content.decode()


def test_a_bulk_custom_attribute(root_browser, user, business):
    users = [user, UserFactory()]
    page = act(root_browser, "set_custom_attribute", users)
    page = confirm(root_browser, page, definition=business.pk)
    response = confirm(root_browser, page, value="Banking")
    assert messages(response) == ["Changed 2 users."]
    assert [stored(u).custom_attributes for u in users] == [{"business": "Banking"}] * 2


@pytest.mark.parametrize("type_", list(AttributeDefinition.Type))
def test_a_bulk_custom_attribute_without_a_value_asks_again(root_browser, user, type_):
    definition = ChoiceFactory(name="business", type=type_)
    page = act(root_browser, "set_custom_attribute", [user])
    page = confirm(root_browser, page, definition=definition.pk)
    assert "This field is required." not in page.content.decode()
    assert "Enter a value, or tick" not in page.content.decode()
    response = confirm(root_browser, page)
    sentence = "Enter a value, or tick “Remove the attribute instead”."
    assert sentence in response.content.decode()
    assert stored(user).custom_attributes == {"business": "Retail"}


def test_a_bulk_custom_attribute_is_chosen_before_anything_is_confirmed(
    root_browser, user, business
):
    page = act(root_browser, "set_custom_attribute", [user])
    assert 'value="Continue"' in page.content.decode()
    page = answer(root_browser, page, definition=business.pk)
    assert 'value="Continue"' in page.content.decode()
    page = answer(root_browser, page, value="Banking")
    assert 'value="Yes, I’m sure"' in page.content.decode()
    assert stored(user).custom_attributes == {"business": "Retail"}


def test_a_bulk_value_is_not_carried_over_to_another_attribute(root_browser, user):
    floor = AttributeDefinitionFactory(name="floor", type="number")
    note = AttributeDefinitionFactory(name="note")
    page = act(root_browser, "set_custom_attribute", [user])
    page = confirm(root_browser, page, definition=floor.pk)
    page = confirm(root_browser, page, definition=note.pk, value="5", remove="on")
    sent = fields(page)
    assert (sent["definition"], sent["value"]) == ([str(note.pk)], [""])
    assert "remove" not in sent


def test_a_bulk_value_that_the_type_refuses_is_refused_at_its_field(root_browser, user):
    floor = AttributeDefinitionFactory(name="floor", type="number")
    page = act(root_browser, "set_custom_attribute", [user])
    page = confirm(root_browser, page, definition=floor.pk)
    response = confirm(root_browser, page, value="9" * 30)
    assert list(response.context["form"].errors) == ["value"]
    assert fields(response)["_selected_action"] == [str(user.pk)]


def test_a_bulk_custom_attribute_is_removed_by_a_choice_of_its_own(root_browser, user, business):
    page = act(root_browser, "set_custom_attribute", [user])
    page = confirm(root_browser, page, definition=business.pk)
    assert messages(confirm(root_browser, page, remove="on")) == ["Changed 1 user."]
    assert stored(user).custom_attributes == {}


def test_a_bulk_custom_attribute_is_not_set_and_removed_at_once(root_browser, user, business):
    page = act(root_browser, "set_custom_attribute", [user])
    page = confirm(root_browser, page, definition=business.pk)
    response = confirm(root_browser, page, value="Banking", remove="on")
    assert "Enter a value or remove the attribute, not both." in response.content.decode()
    assert stored(user).custom_attributes == {"business": "Retail"}


def test_a_bulk_custom_attribute_out_of_its_choices_asks_again(root_browser, user, business):
    page = act(root_browser, "set_custom_attribute", [user])
    page = confirm(root_browser, page, definition=business.pk)
    response = confirm(root_browser, page, value="Bakery")
    assert "Select a valid choice." in response.content.decode()
    assert stored(user).custom_attributes == {"business": "Retail"}


def test_a_bulk_custom_attribute_that_one_user_cannot_take_changes_nobody(
    root_browser, user, location
):
    full = UserFactory(custom_attributes={f"k{n}": n for n in range(100)})
    page = act(root_browser, "set_custom_attribute", [user, full])
    page = confirm(root_browser, page, definition=location.pk)
    response = confirm(root_browser, page, value="Berlin")
    [message] = messages(response)
    assert message == (
        f"{full}: Must have at most 100 attributes, and would have 101. Nothing was changed."
    )
    assert stored(user).custom_attributes == {"business": "Retail"}


def test_a_bulk_action_spares_superusers_from_others(staff_browser, superuser, user):
    response = confirm(staff_browser, act(staff_browser, "deactivate", [superuser, user]))
    [message] = messages(response)
    assert "Only superusers can change the account of a superuser" in message
    assert stored(superuser).is_active
    assert stored(user).is_active


def test_a_bulk_deactivation_spares_the_actor(root_browser, superuser, user):
    response = confirm(root_browser, act(root_browser, "deactivate", [superuser, user]))
    assert messages(response) == ["You cannot take away your own access. Nothing was changed."]
    assert stored(user).is_active


def test_a_bulk_action_needs_the_permission(user):
    viewer = AdministratorFactory()
    viewer.user_permissions.add(Permission.objects.get(codename="view_user"))
    act(browser_of(viewer), "deactivate", [user], confirmed="yes")
    assert stored(user).is_active


@pytest.mark.parametrize("codename", ["change_user", "add_membership"])
def test_adding_to_a_team_needs_the_permissions_for_users_and_memberships(team, codename):
    clerk, user = AdministratorFactory(), UserFactory()
    codenames = {"view_user", codename}
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    changes = {"confirmed": "yes", "team": team.pk, "role": "Team Agent"}
    act(browser_of(clerk), "add_to_team", [user], **changes)
    assert not Membership.objects.exists()


def effect(page):
    """Return what the page says that the action will do."""
    return re.search(r'<p class="effect">(.*?)</p>', page.content.decode())[1]


def test_a_page_says_how_many_users_will_change_before_it_is_confirmed(root_browser):
    users = [*UserFactory.create_batch(2), UserFactory(status="inactive")]
    page = act(root_browser, "deactivate", users)
    assert effect(page) == "2 users will change. 1 unchanged."
    page = act(root_browser, "activate", users)
    assert effect(page) == "1 user will change. 2 unchanged."


def test_an_attribute_says_how_many_have_it_already(root_browser, user, business):
    users = [user, UserFactory(custom_attributes={"business": "Banking"}), UserFactory()]
    for changes, expected in (
        ({"value": "Banking"}, "business: Banking. 2 users will change. 1 unchanged."),
        ({"remove": "on"}, "business: (removed). 2 users will change. 1 unchanged."),
    ):
        page = act(root_browser, "set_custom_attribute", users)
        page = answer(root_browser, page, definition=business.pk)
        page = answer(root_browser, page, **changes)
        assert effect(page) == expected
        assert stored(user).custom_attributes == {"business": "Retail"}
    assert messages(answer(root_browser, page)) == ["Changed 2 users. 1 unchanged."]


@pytest.mark.parametrize(
    ("type_", "sent", "value"),
    [("number", "7", 7), ("boolean", "False", False), ("multiple_choice", ["a", "c"], ["a", "c"])],
)
def test_a_bulk_skill(root_browser, user, type_, sent, value):
    skill = AttributeDefinitionFactory(
        kind="skill",
        name="skill",
        type=type_,
        choices=["a", "b", "c"] if type_ == "multiple_choice" else [],
    )
    users = [user, UserFactory(skill_attributes={"skill": value})]
    page = act(root_browser, "set_skill", users)
    page = answer(root_browser, page, definition=skill.pk)
    page = answer(root_browser, page, value=sent)
    assert effect(page).endswith("1 user will change. 1 unchanged.")
    assert messages(answer(root_browser, page)) == ["Changed 1 user. 1 unchanged."]
    assert [stored(each).skill_attributes["skill"] for each in users] == [value, value]


def test_a_bulk_skill_is_no_custom_attribute(root_browser, user, business):
    page = act(root_browser, "set_skill", [user])
    response = answer(root_browser, page, definition=business.pk)
    assert "Select a valid choice." in response.content.decode()


@pytest.fixture
def members(team):
    """An agent and a manager of the team, and somebody who is not in it."""
    members = [
        MembershipFactory(team=team).user,
        MembershipFactory(team=team, role="Team Manager").user,
        UserFactory(),
    ]
    forget_creations()
    return members


def roles(team):
    return dict(team.memberships.values_list("user", "role"))


def test_a_bulk_removal_from_a_team(root_browser, team, members):
    other = MembershipFactory(user=members[0])
    page = answer(root_browser, act(root_browser, "remove_from_team", members), team=team.pk)
    assert effect(page) == f"Team: {team}. 2 users will change. 1 unchanged."
    assert len(roles(team)) == 2
    assert messages(answer(root_browser, page)) == ["Changed 2 users. 1 unchanged."]
    assert roles(team) == {}
    assert Membership.objects.get() == other
    change = Change.objects.filter(user_id=members[1].pk).latest("pk")
    assert change.before == {"memberships": {str(team.pk): "Team Manager"}}


def test_a_bulk_change_of_roles(root_browser, team, members):
    page = act(root_browser, "change_role", members)
    page = answer(root_browser, page, team=team.pk, role="Team Manager")
    assert effect(page) == f"Team: {team}, Role: Team Manager. 1 user will change. 2 unchanged."
    assert messages(answer(root_browser, page)) == ["Changed 1 user. 2 unchanged."]
    assert roles(team) == dict.fromkeys([members[0].pk, members[1].pk], "Team Manager")


def test_a_bulk_move_to_another_team(root_browser, team, members):
    other = TeamFactory()
    MembershipFactory(user=members[0], team=other, role="Team Analyst")
    page = act(root_browser, "move_to_team", members)
    page = answer(root_browser, page, left=team.pk, joined=other.pk)
    assert effect(page).endswith("2 users will change. 1 unchanged.")
    assert messages(answer(root_browser, page)) == ["Changed 2 users. 1 unchanged."]
    assert roles(team) == {}
    # A role in the new team stays; else it is that in the old one.
    assert roles(other) == {members[0].pk: "Team Analyst", members[1].pk: "Team Manager"}
    change = Change.objects.filter(user_id=members[1].pk).latest("pk")
    assert change.after == {"memberships": {str(team.pk): None, str(other.pk): "Team Manager"}}


def test_a_bulk_move_leads_somewhere_else(root_browser, team, members):
    page = act(root_browser, "move_to_team", members)
    response = answer(root_browser, page, left=team.pk, joined=team.pk)
    assert "Choose two different teams." in response.content.decode()
    assert len(roles(team)) == 2


@pytest.mark.parametrize(
    ("action", "needed"),
    [
        ("move_to_team", {"add_membership", "delete_membership"}),
        ("remove_from_team", {"delete_membership"}),
        ("change_role", {"change_membership"}),
    ],
)
def test_team_actions_need_all_their_permissions(team, members, action, needed):
    answers = {"team": team.pk, "left": team.pk, "joined": TeamFactory().pk, "role": "Team Analyst"}
    before = roles(team)
    for left_out in ("change_user", *needed):
        clerk = AdministratorFactory()
        codenames = {"view_user", "change_user", *needed} - {left_out}
        clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        act(browser_of(clerk), action, members, confirmed="yes", **answers)
        assert roles(team) == before


@pytest.mark.parametrize(
    ("action", "answers"),
    [
        ("add_to_team", {"team": 2, "role": "Team Agent"}),
        ("change_role", {"team": 1, "role": "Team Manager"}),
        ("move_to_team", {"left": 1, "joined": 2}),
        ("remove_from_team", {"team": 1}),
    ],
)
def test_the_statements_of_a_team_action_do_not_grow_with_the_users(root_browser, action, answers):
    teams = {number: TeamFactory().pk for number in (1, 2)}
    answers = {name: teams.get(value, value) for name, value in answers.items()}
    counts = []
    for number in (2, 12):
        users = UserFactory.create_batch(number)
        for user in users:
            MembershipFactory(user=user, team_id=teams[1])
        forget_creations()
        with CaptureQueriesContext(connection) as queries:
            act(root_browser, action, users, confirmed="yes", **answers)
        counts.append(len(queries))
        assert Change.objects.filter(user_id__in=[each.pk for each in users], door="admin").exists()
    assert counts[0] == counts[1]


def test_a_bulk_change_takes_one_statement_on_postgresql_and_one_for_each_user_elsewhere(
    root_browser,
):
    counts = []
    for number in (2, 12):
        users = UserFactory.create_batch(number)
        forget_creations()
        with CaptureQueriesContext(connection) as queries:
            act(root_browser, "deactivate", users, confirmed="yes")
        counts.append(len(queries))
    assert counts[1] - counts[0] == (0 if connection.vendor == "postgresql" else 10)
