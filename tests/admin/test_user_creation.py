"""The page that makes a user, with everything but access to the admin site."""

import pytest
from django.contrib.auth import get_user_model

from tests.admin.pages import USERS, errors, fields, messages, send
from tests.factories import PASSWORD, AttributeDefinitionFactory, ChoiceFactory, TeamFactory
from users.models import Change, Invitation

User = get_user_model()
ADD = f"{USERS}add/"


def create(browser, **entered):
    data = {"first_name": "Bruno", "login_id": "bruno", "email_id": "bruno@desk.example"}
    return send(browser, ADD, "user_form", **{**data, "usable_password": "false", **entered})


def created():
    return User.objects.get(login_id="bruno")


def in_team(team, role="Team Analyst"):
    return {
        "memberships-TOTAL_FORMS": "1",
        "memberships-0-team": team.pk,
        "memberships-0-role": role,
    }


def test_a_user_is_made(root_browser):
    response = create(root_browser, usable_password="true", password1=PASSWORD, password2=PASSWORD)
    assert response["Location"] == USERS
    user = created()
    assert (user.check_password(PASSWORD), user.role_type) == (True, "Customer Care")


def test_a_user_is_made_with_everything_in_one_page(staff_browser, business, team):
    languages = ChoiceFactory(
        kind="skill", name="languages", type="multiple_choice", choices=["hi", "en"]
    )
    create(
        staff_browser,
        last_name="Silva",
        status="inactive",
        job_description="Agent",
        login_using_email="on",
        **{f"custom_{business.pk}": "Banking", f"skill_{languages.pk}": ["hi"]},
        **in_team(team),
        new_skill_name="chess",
        new_skill_type="number",
        new_skill_value="3",
    )
    user = created()
    assert (user.last_name, user.status, user.job_description) == ("Silva", "inactive", "Agent")
    assert user.login_using_email
    assert user.custom_attributes == {"business": "Banking"}
    assert user.skill_attributes == {"languages": ["hi"], "chess": 3}
    assert dict(user.memberships.values_list("team", "role")) == {team.pk: "Team Analyst"}
    assert not user.has_usable_password()


def test_it_is_one_line_of_the_history(staff, staff_browser, business):
    team = TeamFactory()
    create(staff_browser, **{f"custom_{business.pk}": "Banking"}, **in_team(team))
    [change] = Change.objects.filter(user_id=created().pk)
    assert (change.action, change.by_id) == ("created", staff.pk)
    assert change.after["custom_attributes"] == {"business": "Banking"}
    assert change.after["memberships"] == {str(team.pk): "Team Analyst"}


def test_a_value_that_the_definition_refuses_is_refused_at_its_field(root_browser, business):
    response = create(root_browser, **{f"custom_{business.pk}": "Bakery"})
    assert list(errors(response)) == [f"custom_{business.pk}"]
    assert not User.objects.filter(login_id="bruno").exists()


def test_a_user_with_a_name_that_is_taken_is_not_made(root_browser, user):
    response = create(root_browser, login_id=user.login_id.upper(), email_id=user.email_id.upper())
    assert list(errors(response)) == ["login_id", "email_id"]


@pytest.mark.parametrize("password", ["", "short"])
def test_a_password_that_is_asked_for_is_checked(root_browser, password):
    response = create(root_browser, usable_password="true", password1=password, password2=password)
    assert "password2" in errors(response)


@pytest.mark.usefixtures("at_once")
def test_a_user_is_invited(staff_browser, settings, mailoutbox, django_capture_on_commit_callbacks):
    settings.PUBLIC_URL = "https://desk.example"
    with django_capture_on_commit_callbacks(execute=True):
        response = create(staff_browser, usable_password="invite")
    assert "Invited 1 user." in messages(staff_browser.get(response.url))
    assert Invitation.objects.filter(user=created()).exists()
    assert [mail.to for mail in mailoutbox] == [["bruno@desk.example"]]


def test_an_inactive_user_is_not_invited(staff_browser, settings):
    settings.PUBLIC_URL = "https://desk.example"
    response = create(staff_browser, usable_password="invite", status="inactive")
    assert errors(response) == {"status": ["An inactive user cannot be invited."]}


def test_without_mail_nobody_is_invited(staff_browser, settings):
    settings.PUBLIC_URL = ""
    assert b'value="invite"' not in staff_browser.get(ADD).content
    assert "usable_password" in errors(create(staff_browser, usable_password="invite"))


@pytest.mark.parametrize("field", ["role_type", "is_superuser", "groups", "user_permissions"])
def test_access_cannot_be_given(root_browser, field):
    assert field not in fields(root_browser.get(ADD), "user_form")
    create(root_browser, role_type="Administrative", is_superuser="on")
    assert (created().role_type, created().is_superuser) == ("Customer Care", False)


def test_a_project_without_definitions_can_create(root_browser):
    assert create(root_browser).status_code == 302


def test_a_definition_with_the_longest_name_has_its_field(root_browser):
    definition = AttributeDefinitionFactory(name="n" * 64)
    create(root_browser, **{f"custom_{definition.pk}": "x"})
    assert created().custom_attributes == {"n" * 64: "x"}
