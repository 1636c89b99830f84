"""What a change of state entails, through every door, and what the database itself refuses."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.models import JSONField, Value
from django.test import Client
from django.utils import timezone

from tests.factories import (
    AttributeDefinitionFactory,
    ChoiceFactory,
    MembershipFactory,
    TeamFactory,
    UserFactory,
)
from users.models import AccessToken, AttributeDefinition, Membership, Session, Team

User = get_user_model()


@pytest.fixture
def user(db):
    return UserFactory(accepting_chats=True, login_id="Ásha", email_id="asha@desk.example")


def stored(user):
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("fields", [None, ["first_name"], ["accepting_chats", "last_name"]])
def test_saving_details_moves_updated_at(user, fields):
    before = stored(user).updated_at
    user.save(update_fields=fields)
    assert stored(user).updated_at > before


@pytest.mark.parametrize("fields", [[], ["last_login"], ["password"], ["last_login", "password"]])
def test_a_log_in_does_not_move_updated_at(user, fields):
    before = stored(user).updated_at
    user.save(update_fields=fields)
    assert stored(user).updated_at == before


@pytest.mark.parametrize("fields", [None, ["status"], ("status", "first_name")])
def test_a_deactivation_clears_accepting_chats(user, fields):
    user.status = "inactive"
    user.save(update_fields=fields)
    assert stored(user).accepting_chats is False


def test_saving_something_else_is_no_deactivation(user):
    user.status = "inactive"
    user.save(update_fields=["first_name"])
    assert (stored(user).status, stored(user).accepting_chats) == ("active", True)


@pytest.mark.parametrize(
    ("status", "role_type", "is_active", "is_staff"),
    [
        ("active", "Administrative", True, True),
        ("active", "Customer Care", True, False),
        ("inactive", "Administrative", False, False),
        ("inactive", "Customer Care", False, False),
    ],
)
def test_active_and_staff_are_derived(status, role_type, is_active, is_staff):
    user = User(status=status, role_type=role_type)
    assert (user.is_active, user.is_staff) == (is_active, is_staff)


def test_a_superuser_is_an_active_administrator(db):
    user = User.objects.create_superuser("Root", "Root@DESK.example", "secret", first_name="R")
    assert (user.is_staff, user.is_superuser, user.email_id) == (True, True, "Root@desk.example")
    assert user.check_password("secret")


def test_a_user_made_without_a_password_has_none(db):
    assert not User.objects.create_user("a", "a@desk.example").has_usable_password()


def test_a_natural_key_is_a_login_id_whatever_the_case(user):
    assert User.objects.get_by_natural_key("áSHA") == user


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


def test_a_user_read_in_part_is_saved_in_part(user):
    part = User.objects.only("login_id", "status").get(pk=user.pk)
    User.objects.filter(pk=user.pk).update(first_name="Changed meanwhile")
    part.login_id, part.status = "Bruno", "inactive"
    part.save()
    saved = User.objects.get_by_natural_key("bruno")
    assert (saved.first_name, saved.accepting_chats) == ("Changed meanwhile", False)


def test_a_user_is_copied_by_saving_it_without_its_key(user):
    user.pk, user.login_id, user.email_id = None, "copy", "copy@x.example"
    user._state.adding = True
    user.save()
    assert User.objects.count() == 2


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


# full_clean() judges attributes as the call does.


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"custom_attributes": {"business": "Bakery", "floor": 1}},
            {
                "custom_attributes": [
                    "'business': Must be one of: 'Retail', 'Banking'.",
                    "'floor': Nobody has defined this attribute. Defined are: 'business'.",
                ]
            },
        ),
        (
            {"skill_attributes": {"go": {}}},
            {
                "skill_attributes": [
                    "'go': Must be a string, a number, a boolean, or a list of these, "
                    "not an object."
                ]
            },
        ),
        ({"skill_attributes": []}, {"skill_attributes": ["Must be an object, not a list."]}),
        ({"first_name": "\0"}, {"first_name": ["Must not contain the character U+0000."]}),
        ({"last_name": "\ud800"}, {"last_name": ["Must not contain a lone surrogate."]}),
    ],
)
def test_full_clean_refuses_what_the_call_refuses(user, fields, error):
    ChoiceFactory(name="business")
    for name, value in fields.items():
        setattr(user, name, value)
    with pytest.raises(ValidationError) as raised:
        user.full_clean()
    assert raised.value.message_dict == error


def test_full_clean_takes_what_the_call_takes(user):
    ChoiceFactory(name="business")
    user.custom_attributes = {"business": "Retail"}
    user.skill_attributes = {"go": [1, True]}
    user.full_clean()


def test_full_clean_lets_a_stale_value_stay(user):
    User.objects.filter(pk=user.pk).update(custom_attributes={"business": "Bakery"})
    user.refresh_from_db()
    user.first_name = "Bruno"
    user.full_clean()


def test_full_clean_names_what_is_missing():
    with pytest.raises(ValidationError) as raised:
        User(login_id=None, email_id=None).clean_fields()
    assert {"first_name", "login_id", "email_id", "password"} <= raised.value.message_dict.keys()


# Fixtures, with the documented fields alone.


def test_a_fixture_loads_with_the_documented_fields_alone(db, tmp_path):
    fixture = tmp_path / "users.json"
    fixture.write_text(
        """[
        {"model": "users.team", "pk": 7, "fields": {"name": "Support"}},
        {"model": "users.attributedefinition", "fields": {
            "kind": "custom", "name": "business", "type": "choice", "choices": ["Retail"],
            "description": ""}},
        {"model": "users.user", "pk": 8, "fields": {
            "first_name": "Asha", "last_name": "Rao", "login_id": "Asha", "email_id": "A@x.example",
            "status": "active", "job_description": "", "login_using_email": false,
            "role_type": "Customer Care", "accepting_chats": false, "active_chats": 0,
            "skill_attributes": {}, "custom_attributes": {}, "password": "!"}},
        {"model": "users.user", "pk": 9, "fields": {
            "first_name": "Bruno", "login_id": "bruno", "email_id": "b@x.example"}},
        {"model": "users.membership", "fields": {"user": 8, "team": 7, "role": "Team Agent"}},
        {"model": "users.accesstoken", "fields": {"name": "HR", "teams": [7]}},
        {"model": "users.accesstoken", "fields": {"name": "CRM", "teams": [7]}}
        ]"""
    )
    call_command("loaddata", fixture, verbosity=0)
    assert User.objects.get_by_natural_key("ASHA").teams.get() == Team.objects.get(pk=7)
    assert timezone.now() >= User.objects.get(pk=9).created_at
    assert AccessToken.objects.count() == 2


def load(fixture):
    for loaded in serializers.deserialize("json", json.dumps(fixture)):
        loaded.save()


def fixture_of(user, **fields):
    [fixture] = json.loads(serializers.serialize("json", [user]))
    return [{**fixture, "fields": {**fixture["fields"], **fields}}]


def test_a_fixture_of_an_inactive_user_ends_the_sessions(user):
    Client().force_login(user)
    Client().force_login(other := UserFactory())
    load(fixture_of(user, status="inactive"))
    assert (stored(user).status, stored(user).accepting_chats) == ("inactive", False)
    assert Session.objects.get().user == other


def test_a_fixture_of_an_active_user_ends_none(user):
    Client().force_login(user)
    load(fixture_of(user, first_name="Bruno"))
    assert (stored(user).first_name, stored(user).accepting_chats) == ("Bruno", True)
    assert user.logged_in


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
        load(fixture_of(definition, choices=value))
    definition.refresh_from_db()
    assert definition.choices == ["Retail", "Banking"]


def test_a_dumped_user_loads_again(user):
    dumped = serializers.serialize("json", [user])
    user.delete()
    [loaded] = serializers.deserialize("json", dumped)
    loaded.save()
    assert User.objects.get_by_natural_key("ásha").email_id == "asha@desk.example"


class ReplicaForReads:
    """A router to a replica, which no test has: asking it is an error."""

    def db_for_read(self, model, **hints):
        return "replica"

    def db_for_write(self, model, **hints):
        return "default"


def test_a_token_is_issued_and_used_in_the_database_for_writes(team, settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.ReplicaForReads"]
    token, _ = AccessToken.objects.issue("HR", [team])
    token._state.db = "replica"  # as the call's authentication has read it
    token.note_use()
    settings.DATABASE_ROUTERS = []
    assert AccessToken.objects.get().last_used_at
