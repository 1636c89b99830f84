"""What operators do to many users at once, through the door of a browser."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from tests.admin.conftest import browser_of
from tests.admin.pages import fields, messages
from tests.factories import (
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    UserFactory,
)
from users.models import AttributeDefinition, Membership

User = get_user_model()
LIST = "/admin/users/user/"


def stored(user):
    return User.objects.get(pk=user.pk)


def act(browser, action, users, query="", **changes):
    """Choose `action` for `users` in the list; returns the page that asks first, and the path."""
    data = {"action": action, "_selected_action": [user.pk for user in users], **changes}
    return browser.post(LIST + query, data)


def confirm(browser, page, query="", **changes):
    return browser.post(LIST + query, {**fields(page, None), **changes}, follow=True)


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
    page = confirm(root_browser, page, definition=business.pk)
    assert 'value="Yes, I’m sure"' in page.content.decode()


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
