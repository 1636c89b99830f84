"""Fixtures: what they need to name, and what they entail."""

import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.core import serializers
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.database import stored
from tests.factories import ChoiceFactory, UserFactory
from tests.models.fixtures import fixture_of, load
from users.models import AccessToken, Session, Team

User = get_user_model()


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


LONE = "\ud800"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"login_id": ""}, "login_id: Must have a character that can be seen."),
        ({"email_id": ""}, "email_id: Must have a character that can be seen."),
        ({"login_id": "\u200b"}, "login_id: Must have a character that can be seen."),
        ({"first_name": "a\0"}, "first_name: Must not contain the character U+0000."),
        ({"custom_attributes": {LONE: 1}}, "custom_attributes: Must not contain a lone surrogate."),
        (
            {"skill_attributes": {"a": [{"b": ["c", LONE]}]}},
            "skill_attributes: Must not contain a lone surrogate.",
        ),
        (
            {"skill_attributes": {"a": 10**400}},
            "skill_attributes: Must be a finite number that a double can hold.",
        ),
    ],
)
def test_a_fixture_of_a_user_whom_no_page_could_show_is_refused(user, tmp_path, fields, error):
    fixture = tmp_path / "users.json"
    fixture.write_text(json.dumps(fixture_of(user, **fields)))
    with pytest.raises(
        ValueError, match=re.escape(f"Could not load users.User(pk={user.pk}): {error}")
    ):
        call_command("loaddata", fixture, verbosity=0)
    assert stored(user).first_name == user.first_name


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"choices": [LONE]}, "choices: Choice 1: Must not contain a lone surrogate."),
        ({"choices": [1, 2]}, "choices: Choice 1: Must be a string, not a number."),
        ({"choices": [{"a": 1}]}, "choices: Choice 1: Must be a string, not an object."),
        ({"choices": ["a", "a"]}, "choices: Each choice must be listed once."),
        ({"choices": []}, "choices: This type needs at least one choice."),
        ({"name": ""}, "name: The key must have 1 to 64 characters, and has 0."),
    ],
)
def test_a_fixture_of_a_definition_that_makes_no_sense_is_refused(db, fields, error):
    definition = ChoiceFactory()
    with pytest.raises(ValueError, match=re.escape(error)):
        load(fixture_of(definition, **fields))


def test_a_fixture_of_a_team_without_a_name_is_refused(team):
    with pytest.raises(ValueError, match="name: Must have a character that can be seen"):
        load(fixture_of(team, name=""))


def test_a_dumped_user_loads_again(user):
    dumped = serializers.serialize("json", [user])
    user.delete()
    [loaded] = serializers.deserialize("json", dumped)
    loaded.save()
    assert User.objects.get_by_natural_key("ásha").email_id == "asha@desk.example"
