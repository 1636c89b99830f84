"""Forms with more fields, or longer, than Django takes unless told otherwise."""

from django.contrib.auth import get_user_model

from tests.admin.pages import fields, save_user, send
from tests.database import stored
from tests.factories import AttributeDefinitionFactory, ChoiceFactory, UserFactory
from users.models import AccessToken, AttributeDefinition, Membership, Team

MEMBERS = "/admin/users/membership/"


def test_a_user_with_all_choices_of_many_definitions_is_saved(root_browser, user):
    choices = [f"Choice {number}" for number in range(50)]
    AttributeDefinition.objects.bulk_create(
        AttributeDefinitionFactory.build(
            kind="skill", name=f"s{number}", type="multiple_choice", choices=choices
        )
        for number in range(25)
    )
    held = {f"s{number}": choices for number in range(25)}
    type(user).objects.update(skill_attributes=held)
    assert save_user(root_browser, user, job_description="Lead").status_code == 302
    assert (stored(user).job_description, stored(user).skill_attributes) == ("Lead", held)


def test_a_definition_of_a_thousand_long_choices_is_saved(root_browser, db):
    choices = [f"{number:03}" + "\U0001f600" * 252 for number in range(1000)]
    definition = ChoiceFactory(choices=choices)
    path = f"/admin/users/attributedefinition/{definition.pk}/change/"
    response = send(root_browser, path, "attributedefinition_form", description="Long")
    assert response.status_code == 302
    definition.refresh_from_db()
    assert (definition.description, definition.choices) == ("Long", choices)


def test_a_token_that_is_granted_more_than_a_thousand_teams_is_renamed(root_browser, db):
    teams = Team.objects.bulk_create(
        Team(name=f"Team {number}", name_key=f"team {number}") for number in range(1100)
    )
    token, _ = AccessToken.objects.issue("CRM", teams)
    path = f"/admin/users/accesstoken/{token.pk}/change/"
    assert send(root_browser, path, "accesstoken_form", name="HR").status_code == 302
    token.refresh_from_db()
    assert (token.name, token.teams.count()) == ("HR", 1100)


def test_more_than_a_thousand_memberships_are_deleted_at_once(root_browser, team):
    users = get_user_model().objects.bulk_create(UserFactory.build() for _ in range(1200))
    Membership.objects.bulk_create(Membership(user=user, team=team) for user in users)
    first = Membership.objects.first()
    data = {"action": "delete_selected", "_selected_action": [first.pk], "select_across": "1"}
    page = root_browser.post(MEMBERS, data)
    assert root_browser.post(MEMBERS, fields(page)).status_code == 302
    assert not Membership.objects.exists()
