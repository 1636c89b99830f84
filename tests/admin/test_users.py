"""The pages of users, through the door of a browser."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import browser_of
from tests.admin.pages import errors, fields, messages, send
from tests.assertions import assert_updated
from tests.factories import (
    PASSWORD,
    AdministratorFactory,
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.admin.access import access_removal_error
from users.models import AttributeDefinition, Membership, Session

User = get_user_model()
LIST = "/admin/users/user/"


def page_of(user):
    return f"{LIST}{user.pk}/change/"


def stored(user):
    return User.objects.get(pk=user.pk)


def save(browser, user, **changes):
    return send(browser, page_of(user), "user_form", **changes)


# The list.


def test_the_list_shows_what_operators_look_for(root_browser, user, team):
    row = root_browser.get(LIST + f"?q={user.login_id}").content.decode()
    for shown in (user.get_full_name(), user.login_id, user.email_id, "Customer Care", team.name):
        assert shown in row


def test_the_list_costs_no_query_for_each_user(root_browser, team, business):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert root_browser.get(LIST).status_code == 200
        return len(queries)

    for user in UserFactory.create_batch(3):
        MembershipFactory(user=user, team=team)
    few = cost()
    for user in UserFactory.create_batch(197):
        MembershipFactory(user=user, team=team)
    # 1, 2. the session, and its user
    # 3. the attribute definitions, for the filters
    # 4, 5. how many users, and how many are left by the filters
    # 6. the users, with whether each is logged in
    # 7. their teams
    # 8, 9. the teams, for the filter
    assert cost() == few <= 9


@pytest.mark.parametrize("term", ["Zoë", "finder", "FIND@desk"])
def test_the_list_is_searched_by_name_login_id_and_email(root_browser, user, term):
    found = UserFactory(first_name="Zoë", login_id="finder", email_id="find@desk.example")
    shown = root_browser.get(LIST, {"q": term}).context["cl"].result_list
    assert list(shown) == [found]


@pytest.mark.parametrize(
    "name", ["business", "business unit__in", "7", 'it\'s "odd"', "größe", "a.b[0]"]
)
@pytest.mark.parametrize("type_", ["choice", "multiple_choice"])
def test_the_list_is_filtered_by_a_custom_attribute(root_browser, name, type_):
    definition = ChoiceFactory(name=name, type=type_, choices=["Bank", "Banking", "Größe"])
    values = {
        choice: choice if type_ == "choice" else ["x", choice] for choice in definition.choices
    }
    users = {
        choice: UserFactory(custom_attributes={name: value, "other": "Bank"})
        for choice, value in values.items()
    }
    UserFactory(custom_attributes={"other": "Bank"})
    for choice, user in users.items():
        response = root_browser.get(LIST, {f"custom_{definition.pk}": choice})
        assert list(response.context["cl"].result_list) == [user]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status__exact": "inactive"}, 1),
        ({"role_type__exact": "Administrative"}, 1),
        ({"accepting_chats__exact": "1"}, 1),
    ],
)
def test_the_list_is_filtered(root_browser, query, count):
    UserFactory(status="inactive")
    UserFactory(accepting_chats=True)
    assert root_browser.get(LIST, query).context["cl"].result_count == count


def test_the_list_is_filtered_by_team(root_browser, user, team):
    MembershipFactory()
    response = root_browser.get(LIST, {"teams__id__exact": team.pk})
    assert list(response.context["cl"].result_list) == [user]


def test_the_list_counts_nothing_for_its_filters(root_browser, business):
    """It would count for each choice of each definition."""
    page = root_browser.get(LIST, {"_facets": "True"}).content.decode()
    assert "Retail</a>" in page
    assert "Retail (" not in page


# The form.


def test_a_form_that_is_sent_as_it_stands_changes_nothing(root_browser, user, business):
    AttributeDefinitionFactory(kind="skill", name="text", type="text")
    AttributeDefinitionFactory(kind="skill", name="yes", type="boolean")
    AttributeDefinitionFactory(kind="skill", name="rate", type="number")
    ChoiceFactory(kind="skill", name="several", type="multiple_choice")
    ChoiceFactory(kind="skill", name="one", choices=["a\nb", "c"])
    ChoiceFactory(
        kind="skill", name="many", type="multiple_choice", choices=["a\r\nb", "c\rd", "e"]
    )
    skills = {"text": " two\nlines ", "yes": False, "rate": 1e300, "several": [], "new": [1, True]}
    skills |= {"one": "a\nb", "many": ["c\rd", "a\r\nb"]}
    User.objects.filter(pk=user.pk).update(
        custom_attributes={"business": "Bakery", "nobody's": 1},
        skill_attributes=skills,
        first_name=" Asha ",
        job_description="Team lead\nBerlin",
    )
    before = User.objects.filter(pk=user.pk).values().get()
    assert save(root_browser, user).status_code == 302
    assert User.objects.filter(pk=user.pk).values().get() == before


def test_each_definition_is_a_field_of_its_own(root_browser, user, business):
    page = root_browser.get(page_of(user)).content.decode()
    assert f'<select name="custom_{business.pk}"' in page
    assert 'name="custom_attributes"' not in page
    assert 'name="skill_attributes"' not in page


def test_a_choice_with_a_line_break_is_stored_as_it_is_defined(root_browser, user):
    one = ChoiceFactory(kind="skill", name="one", choices=["a\nb", "c"])
    many = ChoiceFactory(kind="skill", name="many", type="multiple_choice", choices=["d\re"])
    sent = {f"skill_{one.pk}": "a\r\nb", f"skill_{many.pk}": ["d\r\ne"]}
    assert save(root_browser, user, **sent).status_code == 302
    assert stored(user).skill_attributes == {"chess": 3, "one": "a\nb", "many": ["d\re"]}


def test_a_stored_value_that_is_not_touched_blocks_nothing(root_browser, user):
    User.objects.filter(pk=user.pk).update(first_name="", email_id="none")
    assert save(root_browser, user, last_name="Lovelace").status_code == 302
    assert (stored(user).last_name, stored(user).email_id) == ("Lovelace", "none")


TYPES = [
    ("text", " two\nlines ", " two\nlines "),
    ("number", "3", 3),
    ("number", "-2.5", -2.5),
    ("number", "1e3", 1000.0),
    ("boolean", "True", True),
    ("boolean", "False", False),
    ("choice", "Banking", "Banking"),
    ("multiple_choice", ["Retail", "Banking"], ["Retail", "Banking"]),
]


@pytest.mark.parametrize(("type_", "typed", "value"), TYPES)
@pytest.mark.parametrize("kind", ["custom", "skill"])
def test_a_value_is_stored_as_its_type(root_browser, user, kind, type_, typed, value):
    definition = ChoiceFactory(kind=kind, name="it", type=type_)
    assert save(root_browser, user, **{f"{kind}_{definition.pk}": typed}).status_code == 302
    held = getattr(stored(user), f"{kind}_attributes")["it"]
    assert (held, type(held)) == (value, type(value))


@pytest.mark.parametrize(("type_", "typed", "value"), TYPES)
def test_an_emptied_field_removes_the_attribute(root_browser, user, type_, typed, value):
    definition = ChoiceFactory(kind="skill", name="it", type=type_)
    User.objects.filter(pk=user.pk).update(skill_attributes={"it": value, "chess": 3})
    emptied = None if type_ == "multiple_choice" else ""
    save(root_browser, user, **{f"skill_{definition.pk}": emptied})
    assert stored(user).skill_attributes == {"chess": 3}


@pytest.mark.parametrize(
    ("type_", "typed", "sentence"),
    [
        ("number", "many", "Enter a number."),
        ("number", "1e400", "Enter a number."),
        ("number", "9007199254740992", "Must be an integer within ±9007199254740991 (2^53 - 1)."),
        ("number", "9" * 350, "Enter a number."),
        ("number", "9" * 5000, "Enter a number."),
        ("boolean", "maybe", "Select a valid choice. maybe is not one of the available choices."),
        ("choice", "Bakery", "Select a valid choice. Bakery is not one of the available choices."),
        (
            "multiple_choice",
            ["Retail", "Bakery"],
            "Select a valid choice. Bakery is not one of the available choices.",
        ),
        ("text", "x" * 256, "Ensure this value has at most 255 characters (it has 256)."),
        ("text", "a\0b", "Null characters are not allowed."),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(root_browser, user, type_, typed, sentence):
    definition = ChoiceFactory(kind="skill", name="it", type=type_)
    response = save(root_browser, user, **{f"skill_{definition.pk}": typed, "first_name": "Zoë"})
    assert errors(response) == {f"skill_{definition.pk}": [sentence]}
    assert (stored(user).first_name, stored(user).skill_attributes) == ("Asha", {"chess": 3})


def test_too_many_attributes_are_refused_above_the_form(root_browser, user):
    definition = AttributeDefinitionFactory(kind="skill", name="it")
    User.objects.filter(pk=user.pk).update(skill_attributes={f"k{n}": n for n in range(100)})
    response = save(root_browser, user, **{f"skill_{definition.pk}": "x"})
    sentence = "Must have at most 100 attributes, and would have 101."
    assert errors(response) == {"__all__": [sentence]}


def test_what_no_definition_allows_is_shown_and_stays(root_browser, user, business):
    User.objects.filter(pk=user.pk).update(custom_attributes={"business": "Bakery", "floor": [1]})
    page = root_browser.get(page_of(user)).content.decode()
    assert "business: Bakery (no longer allowed." in page
    assert "floor: 1" in page
    assert "chess: 3" in page
    save(root_browser, user, first_name="Zoë")
    assert stored(user).custom_attributes == {"business": "Bakery", "floor": [1]}
    assert stored(user).first_name == "Zoë"


def test_what_no_definition_allows_can_be_removed(root_browser, user, business):
    odd = "line\nbreak & <b>"
    User.objects.filter(pk=user.pk).update(
        custom_attributes={"business": "Bakery"}, skill_attributes={odd: 1, "chess": 3}
    )
    options = root_browser.get(page_of(user)).context["adminform"].form
    choices = options.fields["remove_skill_attributes"].choices
    [value] = [value for value, text in choices if odd in text]
    save(root_browser, user, remove_custom_attributes=["business"], remove_skill_attributes=[value])
    assert stored(user).custom_attributes == {}
    assert stored(user).skill_attributes == {"chess": 3}


def test_what_the_call_changed_meanwhile_stays(root_browser, call, user, business, location):
    data = fields(root_browser.get(page_of(user)), "user_form")
    call({"last_name": "Meanwhile", "custom_attributes": {"business": "Banking"}})
    call({"skill_attributes": {"go": 1}})
    data |= {"first_name": "Zoë", f"custom_{location.pk}": "Berlin"}
    assert root_browser.post(page_of(user), data).status_code == 302
    saved = stored(user)
    assert (saved.first_name, saved.last_name) == ("Zoë", "Meanwhile")
    assert saved.custom_attributes == {"business": "Banking", "location": "Berlin"}
    assert saved.skill_attributes == {"chess": 3, "go": 1}


def changed_meanwhile(browser, call, user, body, **changes):
    """Open the page, make the call, and save the page with `changes`; returns the answer."""
    data = fields(browser.get(page_of(user)), "user_form")
    call(body)
    return browser.post(page_of(user), {**data, **changes})


def conflict(stored_text, entered):
    return (
        f"After you opened the page, this was changed to “{stored_text}”. You entered “{entered}”: "
        "save again to overwrite the other."
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
    again = root_browser.post(page_of(user), fields(response, "user_form"))
    assert again.status_code == 302
    saved = stored(user)
    assert (saved.first_name, saved.last_name, saved.job_description) == ("Zoë", "Hand", "Lead")


def test_what_was_changed_once_more_is_asked_about_once_more(root_browser, call, user):
    response = changed_meanwhile(root_browser, call, user, {"last_name": "One"}, last_name="Hand")
    call({"last_name": "Two"})
    response = root_browser.post(page_of(user), fields(response, "user_form"))
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
    root_browser.post(page_of(user), fields(response, "user_form"))
    assert stored(user).custom_attributes == {"business": "Travel"}


def test_groups_that_were_changed_meanwhile_are_asked_about(root_browser, call, user):
    one, other = Group.objects.create(name="One"), Group.objects.create(name="Other")
    data = fields(root_browser.get(page_of(user)), "user_form")
    user.groups.add(one)
    response = root_browser.post(page_of(user), {**data, "groups": [other.pk]})
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
    response = save(root_browser, user, first_name="Zoë", _shown_values=sent)
    assert response.status_code == 302
    assert stored(user).first_name == "Asha"


def test_a_hand_made_request_need_not_say_what_the_page_showed(root_browser, user):
    save(root_browser, user, first_name="Zoë", _shown_values=None)
    assert stored(user).first_name == "Zoë"


HUGE = str(10**30)


@pytest.mark.parametrize(
    "sent",
    [
        {"groups": [HUGE]},
        {"user_permissions": [HUGE]},
        {"_shown_values": f'{{"groups": ["{HUGE}"]}}'},
        {"initial-groups": [HUGE]},
        {"memberships-0-id": HUGE},
        {"memberships-0-team": HUGE},
        {"memberships-0-user": HUGE},
        {"memberships-TOTAL_FORMS": HUGE},
    ],
    ids=lambda sent: "".join(sent),
)
def test_a_number_that_no_key_has_is_refused(root_browser, user, sent):
    assert save(root_browser, user, **sent).status_code in (200, 302)
    assert Membership.objects.filter(user=user).count() == 1


def test_a_user_is_saved_where_there_are_500_definitions(root_browser, user):
    AttributeDefinition.objects.bulk_create(
        AttributeDefinitionFactory.build(
            kind=kind, name=f"a{n}", type="choice" if n % 2 else "text", choices=["x"][: n % 2]
        )
        for n in range(250)
        for kind in ("custom", "skill")
    )
    last = AttributeDefinition.objects.latest("pk")
    response = save(root_browser, user, first_name="Zoë", **{f"skill_{last.pk}": "x"})
    assert response.status_code == 302
    assert (stored(user).first_name, stored(user).skill_attributes[last.name]) == ("Zoë", "x")


@pytest.mark.parametrize("count", [50, 250])
def test_a_user_in_many_teams_is_saved(root_browser, user, count):
    teams = TeamFactory.create_batch(count - 1)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    assert save(root_browser, user, first_name="Zoë").status_code == 302
    assert stored(user).first_name == "Zoë"
    assert user.memberships.count() == count


def test_many_memberships_are_edited_in_their_list(root_browser, user):
    teams = TeamFactory.create_batch(60)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    MembershipFactory()
    page = root_browser.get(page_of(user)).content.decode()
    assert "memberships-0-role" not in page
    [link] = re.findall(r'<a href="([^"]*)">61 teams</a>', page)
    assert root_browser.get(link).context["cl"].result_count == 61


def test_memberships_of_a_page_with_few_are_saved_when_there_are_many(root_browser, user, team):
    data = fields(root_browser.get(page_of(user)), "user_form")
    teams = TeamFactory.create_batch(60)
    Membership.objects.bulk_create(Membership(user=user, team=team) for team in teams)
    data |= {"memberships-0-role": "Team Manager"}
    root_browser.post(page_of(user), data)
    assert Membership.objects.get(user=user, team=team).role == "Team Manager"


def test_a_role_that_was_changed_meanwhile_stays(root_browser, user):
    data = fields(root_browser.get(page_of(user)), "user_form")
    Membership.objects.filter(user=user).update(role="Team Manager")
    assert root_browser.post(page_of(user), {**data, "first_name": "Zoë"}).status_code == 302
    assert Membership.objects.get(user=user).role == "Team Manager"


def test_the_answer_of_the_call_shows_what_the_form_saved(root_browser, call, user, business):
    save(root_browser, user, **{f"custom_{business.pk}": "Banking"})
    assert_updated(call({"last_name": "R"}), custom_attributes={"business": "Banking"})


def test_a_saved_change_moves_updated_at(root_browser, user):
    save(root_browser, user, first_name="Zoë")
    assert stored(user).updated_at > user.updated_at


@pytest.mark.parametrize(
    ("field", "value"),
    [("login_id", "ROOT"), ("email_id", "Root@desk.example")],
)
def test_a_name_that_is_taken_is_refused_at_its_field(root_browser, user, field, value):
    assert list(errors(save(root_browser, user, **{field: value}))) == [field]


def test_memberships_are_edited_with_the_user(root_browser, user, team):
    other = TeamFactory()
    save(
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


def test_a_deactivation_ends_the_sessions(root_browser, user):
    browser_of(user)
    save(root_browser, user, status="inactive")
    assert not Session.objects.filter(user=user).exists()


def test_a_user_is_made(root_browser):
    response = send(
        root_browser,
        f"{LIST}add/",
        "user_form",
        first_name="Bruno",
        login_id="bruno",
        email_id="bruno@desk.example",
        password1=PASSWORD,
        password2=PASSWORD,
        usable_password="true",
    )
    user = User.objects.get(login_id="bruno")
    assert response["Location"] == page_of(user)
    assert (user.check_password(PASSWORD), user.role_type) == (True, "Customer Care")


def test_a_user_with_a_name_that_is_taken_is_not_made(root_browser, user):
    response = send(
        root_browser,
        f"{LIST}add/",
        "user_form",
        first_name="B",
        login_id=user.login_id.upper(),
        email_id=user.email_id.upper(),
        password1=PASSWORD,
        password2=PASSWORD,
        usable_password="true",
    )
    assert list(errors(response)) == ["login_id", "email_id"]


def test_a_password_that_is_set_ends_the_sessions(root_browser, user):
    browser_of(user)
    send(
        root_browser,
        f"{LIST}{user.pk}/password/",
        "user_form",
        password1="another good one",
        password2="another good one",
        usable_password="true",
    )
    assert stored(user).check_password("another good one")
    assert not stored(user).logged_in


# Who may do what.


@pytest.mark.parametrize("target", ["self", "other"])
def test_nobody_but_a_superuser_raises_rights(staff_browser, staff, user, target):
    target = {"self": staff, "other": user}[target]
    group = Group.objects.create(name="Bosses")
    permissions = set(target.user_permissions.all())
    response = save(
        staff_browser,
        target,
        first_name="Zoë",
        is_superuser="on",
        role_type="Administrative",
        groups=[group.pk],
        user_permissions=["1", "2"],
        **{"initial-is_superuser": "", "initial-role_type": ""},
    )
    assert response.status_code == 302
    saved = stored(target)
    assert (saved.first_name, saved.is_superuser, saved.role_type) == (
        "Zoë",
        False,
        target.role_type,
    )
    assert not saved.groups.exists()
    assert set(saved.user_permissions.all()) == permissions


def test_a_superuser_gives_rights(root_browser, user):
    group = Group.objects.create(name="Bosses")
    save(root_browser, user, is_superuser="on", role_type="Administrative", groups=[group.pk])
    assert (stored(user).is_superuser, stored(user).is_staff) == (True, True)
    assert stored(user).groups.get() == group


def test_a_superusers_account_is_only_shown_to_others(staff_browser, superuser, business):
    page = staff_browser.get(page_of(superuser))
    assert page.status_code == 200
    assert b'name="first_name"' not in page.content
    assert staff_browser.post(page_of(superuser), {"first_name": "Zoë"}).status_code == 403
    assert staff_browser.get(f"{LIST}{superuser.pk}/password/").status_code == 403
    assert staff_browser.post(f"{LIST}{superuser.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=superuser.pk, first_name="Asha").exists()


@pytest.mark.parametrize("status", ["active", "inactive"])
def test_another_administrators_password_is_set_by_a_superuser_alone(
    staff_browser, root_browser, status
):
    other = AdministratorFactory(status=status)
    path = f"{LIST}{other.pk}/password/"
    data = {"password1": "taken over", "password2": "taken over", "usable_password": "true"}
    assert staff_browser.post(path, data).status_code == 403
    assert stored(other).check_password(PASSWORD)
    assert root_browser.get(path).status_code == 200


@pytest.mark.parametrize("written", ["_2B{}", "{}_0A", "0_5F{}"])
def test_a_quoted_id_is_no_way_to_another_administrators_password(staff_browser, written):
    other = AdministratorFactory()
    path = f"{LIST}{written.format(other.pk)}/password/"
    data = {"password1": "taken over", "password2": "taken over", "usable_password": "true"}
    assert staff_browser.post(path, data).status_code == 403
    assert stored(other).check_password(PASSWORD)


def test_groups_are_changed_by_a_superuser_alone(staff, staff_browser, root_browser):
    staff.user_permissions.set(Permission.objects.all())
    group = Group.objects.create(name="Bosses")
    path = f"/admin/auth/group/{group.pk}/change/"
    assert staff_browser.post(path, {"name": "Bosses", "permissions": [1]}).status_code == 403
    assert root_browser.get(path).status_code == 200


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("status", {"status": "inactive"}),
        ("role_type", {"role_type": "Customer Care"}),
        ("is_superuser", {"is_superuser": None}),
    ],
)
def test_nobody_takes_his_own_access_away(root_browser, superuser, field, changes):
    AdministratorFactory(is_superuser=True)
    response = save(root_browser, superuser, **changes)
    assert errors(response) == {field: ["You cannot take your own access away."]}


def disable_password(browser, user):
    data = {"usable_password": "false", "unset-password": "yes"}
    return browser.post(f"{LIST}{user.pk}/password/", data, follow=True)


def test_nobody_disables_his_own_password(root_browser, superuser):
    AdministratorFactory(is_superuser=True)
    response = disable_password(root_browser, superuser)
    assert messages(response) == ["You cannot take your own access away."]
    assert stored(superuser).has_usable_password()


def test_the_last_password_of_a_superuser_stays(root_browser, superuser):
    other = AdministratorFactory(is_superuser=True)
    User.objects.filter(pk=superuser.pk).update(password="!")  # lets nobody in: by single sign-on
    root_browser.force_login(stored(superuser))
    response = disable_password(root_browser, other)
    assert messages(response) == ["No other active superuser has a password."]
    assert stored(other).has_usable_password()


def test_a_superuser_disables_the_password_of_another(root_browser, user):
    other = AdministratorFactory(is_superuser=True)
    for target in (user, other):
        disable_password(root_browser, target)
        assert not stored(target).has_usable_password()


def test_a_staff_user_cannot_deactivate_himself(staff_browser, staff):
    assert list(errors(save(staff_browser, staff, status="inactive"))) == ["status"]


def test_nobody_deletes_himself(root_browser, superuser):
    path = f"{LIST}{superuser.pk}/delete/"
    assert root_browser.post(path, {"post": "yes"}).status_code == 403
    response = root_browser.post(
        LIST,
        {"action": "delete_selected", "_selected_action": [superuser.pk], "post": "yes"},
    )
    assert User.objects.filter(pk=superuser.pk).exists(), response


def test_a_superuser_deactivates_another(root_browser):
    other = AdministratorFactory(is_superuser=True)
    save(root_browser, other, status="inactive")
    assert not stored(other).is_active


def test_a_user_is_deleted_with_memberships_and_sessions(root_browser, user):
    browser_of(user)
    root_browser.post(f"{LIST}{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Membership.objects.exists()


@pytest.mark.parametrize("page", ["user", "list"])
def test_the_keys_of_sessions_are_not_shown_before_a_user_is_deleted(staff_browser, user, page):
    """A key lets in: whoever could delete an administrator could have been him."""
    browser_of(user)
    if page == "user":
        response = staff_browser.get(f"{LIST}{user.pk}/delete/")
    else:
        data = {"action": "delete_selected", "_selected_action": [user.pk]}
        response = staff_browser.post(LIST, data)
    assert "Session: expires at" in response.content.decode()
    assert user.sessions.get().session_key not in response.content.decode()


def test_a_customer_care_user_does_not_enter(user):
    assert browser_of(user).get(LIST).status_code == 302


def test_an_administrator_without_permissions_sees_nothing(db, user):
    browser = browser_of(AdministratorFactory())
    assert browser.get("/admin/").status_code == 200
    for path in (LIST, page_of(user)):
        assert browser.get(path).status_code == 403


def test_a_view_only_administrator_sees_the_attributes(user, business):
    viewer = AdministratorFactory()
    viewer.user_permissions.add(Permission.objects.get(codename="view_user"))
    page = browser_of(viewer).get(page_of(user))
    assert "business: Retail" in page.content.decode()
    assert b"<select" not in page.content


def test_the_last_superuser_stays_even_for_one_who_is_none(staff, superuser):
    other = AdministratorFactory(is_superuser=True, status="inactive")
    last = "The last active superuser has to stay one."
    assert access_removal_error(staff, [superuser], {superuser.pk}) == last
    assert access_removal_error(staff, [other], {superuser.pk}) is None


def test_a_deactivated_administrator_is_thrown_out_at_the_next_click(call, user, superuser):
    user.role_type, user.is_superuser = "Administrative", True
    user.save()
    browser = browser_of(user)
    assert browser.get(LIST).status_code == 200
    assert_updated(call({"status": "inactive"}))
    assert browser.get(LIST).status_code == 302
    assert Client().get(LIST).status_code == 302
