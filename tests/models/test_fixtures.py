"""Fixtures: what they need to name, and what they entail."""

from django.contrib.auth import get_user_model
from django.core import serializers
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.database import stored
from tests.factories import UserFactory
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


def test_a_dumped_user_loads_again(user):
    dumped = serializers.serialize("json", [user])
    user.delete()
    [loaded] = serializers.deserialize("json", dumped)
    loaded.save()
    assert User.objects.get_by_natural_key("ásha").email_id == "asha@desk.example"
