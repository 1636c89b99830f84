"""What the database itself refuses."""

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.models import JSONField, Value

from tests.database import stored
from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from tests.models.fixtures import fixture_of, load
from users.models import AttributeDefinition, Membership

User = get_user_model()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"login_id": "ásHA", "email_id": "o@x.example"},
            {"login_id": ["A user with this login id already exists."]},
        ),
        (
            {"email_id": "ASHA@desk.EXAMPLE"},
            {"email_id": ["A user with this email already exists."]},
        ),
    ],
)
def test_names_are_unique_whatever_the_case(user, fields, error):
    other = UserFactory.build(**{"login_id": "other", **fields})
    with pytest.raises(ValidationError) as raised:
        other.full_clean()
    assert raised.value.message_dict == error
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([other])


def test_a_name_changed_alone_stays_unique(user):
    other = UserFactory()
    other.login_id = "ÁSHA"
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save(update_fields=["login_id"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (User, {"status": "away"}),
        (User, {"role_type": "Boss"}),
        (User, {"active_chats": -1}),
        (Membership, {"role": "Boss"}),
        (AttributeDefinition, {"kind": "other"}),
        (AttributeDefinition, {"type": "other"}),
    ],
)
def test_the_database_refuses_what_no_door_allows(model, changes):
    MembershipFactory()
    AttributeDefinitionFactory()
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        model.objects.update(**changes)


def test_a_user_is_in_a_team_once(user):
    team = TeamFactory()
    MembershipFactory(user=user, team=team)
    with pytest.raises(IntegrityError), transaction.atomic():
        MembershipFactory(user=user, team=team, role="Team Manager")


def test_a_key_is_defined_once_for_each_kind(db):
    AttributeDefinitionFactory(kind="skill", name="floor")
    AttributeDefinitionFactory(kind="custom", name="floor")
    with pytest.raises(IntegrityError), transaction.atomic():
        AttributeDefinitionFactory(kind="custom", name="floor")


@pytest.mark.parametrize("name", ["custom_attributes", "skill_attributes"])
@pytest.mark.parametrize("value", [[], "x", 1, True, None])
def test_attributes_that_are_no_object_are_refused_by_the_database(user, name, value):
    with pytest.raises(DatabaseError), transaction.atomic():
        load(fixture_of(user, **{name: value}))
    with pytest.raises(DatabaseError), transaction.atomic():
        User.objects.update(**{name: Value(value, JSONField())})
    assert getattr(stored(user), name) == {}


@pytest.mark.parametrize("value", [{}, "x", 1, True, None])
def test_choices_that_are_no_list_are_refused_by_the_database(db, value):
    definition = ChoiceFactory()
    with pytest.raises(DatabaseError), transaction.atomic():
        AttributeDefinition.objects.update(choices=Value(value, JSONField()))
    with (
        pytest.raises(ValueError, match="choices: Must be a list of strings"),
        transaction.atomic(),
    ):
        load(fixture_of(definition, choices=value))
    definition.refresh_from_db()
    assert definition.choices == ["Retail", "Banking"]
