"""A user's page that is saved after something else changed the user."""

import pytest
from django.contrib.auth.models import Group

from tests.admin.pages import errors, fields, save_user, user_page
from tests.database import store, stored
from tests.factories import ChoiceFactory
from users.models import Membership


def test_what_the_call_changed_meanwhile_stays(root_browser, call, user, business, location):
    data = fields(root_browser.get(user_page(user)), "user_form")
    call({"last_name": "Meanwhile", "custom_attributes": {"business": "Banking"}})
    call({"skill_attributes": {"go": 1}})
    data |= {"first_name": "Zoë", f"custom_{location.pk}": "Berlin"}
    assert root_browser.post(user_page(user), data).status_code == 302
    saved = stored(user)
    assert (saved.first_name, saved.last_name) == ("Zoë", "Meanwhile")
    assert saved.custom_attributes == {"business": "Banking", "location": "Berlin"}
    assert saved.skill_attributes == {"chess": 3, "go": 1}


def changed_meanwhile(browser, call, user, body, **changes):
    """Open the page, make the call, and save the page with `changes`; returns the answer."""
    data = fields(browser.get(user_page(user)), "user_form")
    call(body)
    return browser.post(user_page(user), {**data, **changes})


def conflict(stored_text, entered):
    return (
        f"Since you opened this page, this was changed to “{stored_text}”. You entered "
        f"“{entered}”. Save again to overwrite the change."
    )


def test_what_was_changed_meanwhile_in_the_same_field_is_asked_about(root_browser, call, user):
    response = changed_meanwhile(
        root_browser,
        call,
        user,
        {"last_name": "<b>Call</b>", "job_description": "Lead"},
        last_name="Hand",
        first_name="Zoë",
    )
    assert errors(response) == {"last_name": [conflict("<b>Call</b>", "Hand")]}
    assert b"<b>Call</b>" not in response.content
    assert (stored(user).first_name, stored(user).last_name) == ("Asha", "<b>Call</b>")
    # Saved again, it overwrites that, and nothing else.
    again = root_browser.post(user_page(user), fields(response, "user_form"))
    assert again.status_code == 302
    saved = stored(user)
    assert (saved.first_name, saved.last_name, saved.job_description) == ("Zoë", "Hand", "Lead")


def test_what_was_changed_once_more_is_asked_about_once_more(root_browser, call, user):
    response = changed_meanwhile(root_browser, call, user, {"last_name": "One"}, last_name="Hand")
    call({"last_name": "Two"})
    response = root_browser.post(user_page(user), fields(response, "user_form"))
    assert errors(response) == {"last_name": [conflict("Two", "Hand")]}


@pytest.mark.parametrize(
    ("value", "text"), [("Banking", "Banking"), (None, "—")], ids=["set", "removed"]
)
def test_an_attribute_that_was_changed_meanwhile_is_asked_about(
    root_browser, call, user, value, text
):
    business = ChoiceFactory(name="business", choices=["Retail", "Banking", "Travel"])
    field = f"custom_{business.pk}"
    body = {"custom_attributes": {"business": value}}
    response = changed_meanwhile(root_browser, call, user, body, **{field: "Travel"})
    assert errors(response) == {field: [conflict(text, "Travel")]}
    root_browser.post(user_page(user), fields(response, "user_form"))
    assert stored(user).custom_attributes == {"business": "Travel"}


def test_groups_that_were_changed_meanwhile_are_asked_about(root_browser, call, user):
    one, other = Group.objects.create(name="One"), Group.objects.create(name="Other")
    store(user, role_type="Administrative")
    data = fields(root_browser.get(user_page(user)), "user_form")
    user.groups.add(one)
    response = root_browser.post(user_page(user), {**data, "groups": [other.pk]})
    assert errors(response) == {"groups": [conflict("One", "Other")]}


def test_the_same_change_made_meanwhile_is_no_conflict(root_browser, call, user):
    body = {"last_name": "Same", "login_using_email": True}
    response = changed_meanwhile(
        root_browser, call, user, body, last_name="Same", login_using_email="on"
    )
    assert response.status_code == 302


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "no JSON",
        "[]",
        '{"first_name": 1, "groups": "1", "email_id": null}',
        "9" * 5000,
        "[" * 100_000,
    ],
)
def test_a_page_that_says_wrongly_what_it_showed_changes_nothing(root_browser, user, sent):
    response = save_user(root_browser, user, first_name="Zoë", _shown_values=sent)
    assert response.status_code == 302
    assert stored(user).first_name == "Asha"


def test_a_hand_made_request_need_not_say_what_the_page_showed(root_browser, user):
    save_user(root_browser, user, first_name="Zoë", _shown_values=None)
    assert stored(user).first_name == "Zoë"


def test_a_role_that_was_changed_meanwhile_stays(root_browser, user):
    data = fields(root_browser.get(user_page(user)), "user_form")
    Membership.objects.filter(user=user).update(role="Team Manager")
    assert root_browser.post(user_page(user), {**data, "first_name": "Zoë"}).status_code == 302
    assert Membership.objects.get(user=user).role == "Team Manager"
