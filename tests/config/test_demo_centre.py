"""The lively contact centre of `manage.py demo --users N`."""

import pytest
from django.contrib.auth import get_user_model

from config import demo_centre
from config.management.commands import demo
from tests.factories import AdministratorFactory, ChoiceFactory
from users.models import AccessToken, AttributeDefinition, Change, Membership, Session, Team

User = get_user_model()
NUMBER = 300


@pytest.fixture
def centre(db):
    ChoiceFactory(name="business", choices=["Retail", "Banking", "Travel"])
    ChoiceFactory(name="location", choices=["Berlin", "Mumbai", "Toronto"])
    operator = AdministratorFactory()
    steps = []
    demo_centre.make(NUMBER, [operator], steps.append)
    assert sum(steps) == NUMBER
    return User.objects.with_logged_in().exclude(pk=operator.pk)


def test_it_has_something_of_everything(centre):
    assert centre.count() == NUMBER
    assert Team.objects.count() == 3
    assert AccessToken.objects.count() == 3
    for users in (
        centre.filter(status="inactive"),
        centre.filter(accepting_chats=True, active_chats__gt=0),
        centre.filter(custom_attributes__location="Mumbai", skill_attributes__has_key="languages"),
        centre.exclude(skill_attributes__has_key="certified"),
        centre.filter(memberships__role="Team Manager"),
        centre.filter(memberships=None),
    ):
        assert users.exists()


def test_who_accepts_chats_is_logged_in(centre):
    logged_in = {user.pk for user in centre if user.logged_in}
    assert logged_in == set(Session.objects.values_list("user", flat=True))
    assert set(centre.filter(accepting_chats=True).values_list("pk", flat=True)) <= logged_in


def test_its_history_leads_to_what_is_stored(centre):
    for user in centre[:50]:
        state = {}
        changes = list(Change.objects.filter(user_id=user.pk).order_by("at"))
        assert [change.action for change in changes].index("created") == 0
        for change in changes:
            for name, value in change.after.items():
                merges = isinstance(value, dict) and name in state
                state[name] = {**state[name], **value} if merges else value
        roles = Membership.objects.filter(user=user).values_list("team", "role")
        assert state.pop("memberships") == {str(team): role for team, role in roles}
        for name in ("accepting_chats", "active_chats"):  # which change all day
            del state[name]
        assert state == {name: getattr(user, name) for name in state}
        assert user.updated_at == changes[-1].at


def test_its_users_are_valid_but_for_a_few_old_values(centre):
    definitions = AttributeDefinition.objects.all()
    for user in centre.exclude(custom_attributes__business="Telecoms")[:50]:
        user.stored_values = None
        user.full_clean()
    assert definitions.filter(kind="skill", name="products").exists()


def test_labels_are_of_choices_that_there_are():
    choices = {name: {"", *choices} for _kind, name, _type, choices, _text in demo.DEFINITIONS}
    for name, labels in demo.LABELS.items():
        assert all(found.keys() <= choices[name] for found in labels.values())
