"""What the history has of saves and deletions that are not in a transaction, fail, or race."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core import serializers
from django.db import connection, transaction
from django.db.models.signals import pre_delete
from django.test import Client

from tests.factories import AdministratorFactory, MembershipFactory, TeamFactory, UserFactory
from users.models import Change, Membership
from users.signals import user_changed

pytestmark = pytest.mark.django_db(transaction=True)
User = get_user_model()


def lines():
    return [
        (change.action, change.before, change.after) for change in Change.objects.order_by("id")
    ]


def test_a_log_in_that_hashes_the_password_anew_works_and_sets_none(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    user = AdministratorFactory()
    old = make_password("correct horse", hasher="md5")
    User.objects.filter(pk=user.pk).update(password=old)
    number = Change.objects.count()
    data = {"username": user.login_id, "password": "correct horse"}
    assert Client().post("/admin/login/", data).status_code == 302
    assert User.objects.get(pk=user.pk).password != old
    assert Change.objects.count() == number


def test_a_fixture_is_loaded_outside_a_transaction():
    text = serializers.serialize("json", [UserFactory()]).replace("Asha", "Bruno")
    for loaded in serializers.deserialize("json", text):
        loaded.save()
    assert Change.objects.latest("id").after == {"first_name": "Bruno"}


def test_a_membership_of_a_fixture_is_loaded_outside_a_transaction():
    membership = MembershipFactory()
    text = serializers.serialize("json", [membership]).replace("Team Agent", "Team Manager")
    for loaded in serializers.deserialize("json", text):
        loaded.save()
    role = {str(membership.team_id): "Team Manager"}
    assert Change.objects.latest("id").after == {"memberships": role}


@pytest.mark.parametrize("savepoint", [False, True])
def test_a_creation_that_is_rolled_back_takes_no_memberships_of_another(savepoint):
    """Another process may get the ids that were rolled back, on SQLite."""
    with transaction.atomic() if savepoint else nullcontext(), transaction.atomic():
        UserFactory()
        transaction.set_rollback(True)
    with ThreadPoolExecutor(1) as pool:
        user_id = pool.submit(in_thread(lambda: UserFactory().pk)).result(30)
    membership = MembershipFactory(user_id=user_id, user=None)
    assert lines()[-1][::2] == (
        "updated",
        {"memberships": {str(membership.team_id): "Team Agent"}},
    )


def in_thread(function):
    def run():
        try:
            return function()
        finally:
            connection.close()

    return run


def test_a_password_that_is_assigned_as_a_hash_is_recorded():
    user = User.objects.get(pk=UserFactory().pk)
    user.password = make_password("another")
    user.save()
    assert Change.objects.latest("id").after == {"password": "set"}


@pytest.mark.parametrize("make", [UserFactory, lambda: MembershipFactory().team])
def test_a_deletion_that_failed_and_is_tried_again_is_recorded(make):
    row = make()
    failures = [RuntimeError()]

    def fail_once(**kwargs):
        if failures:
            raise failures.pop()

    pre_delete.connect(fail_once, sender=type(row))
    try:
        with pytest.raises(RuntimeError):
            row.delete()
    finally:
        pre_delete.disconnect(fail_once, sender=type(row))
    number = Change.objects.count()
    row.delete()
    assert Change.objects.count() == number + 1


def test_what_a_manager_takes_away_is_one_line():
    membership = MembershipFactory()
    number = Change.objects.count()
    membership.team.members.remove(membership.user)
    assert Change.objects.count() == number + 1
    membership.user.teams.add(membership.team)
    membership.user.teams.clear()
    assert Change.objects.count() == number + 3


def test_a_membership_that_was_read_before_others_changed_it_is_recorded_as_it_was_stored():
    membership = MembershipFactory()
    old = Membership.objects.get()
    membership.role = "Team Manager"
    membership.save()
    old.delete()
    team = str(membership.team_id)
    assert lines()[-1][1:] == (
        {"memberships": {team: "Team Manager"}},
        {"memberships": {team: None}},
    )


def test_a_membership_of_a_user_who_has_gone_is_deleted_without_a_line():
    membership = MembershipFactory()
    old = Membership.objects.get()
    membership.user.delete()
    number = Change.objects.count()
    old.delete()
    assert Change.objects.count() == number


def test_a_creation_whose_memberships_come_by_another_instance_is_one_change():
    team = TeamFactory()
    with transaction.atomic():
        user = UserFactory()
        team.members.add(User.objects.get(pk=user.pk))
    [change] = Change.objects.all()
    assert (change.action, change.teams) == ("created", [team.pk])
    assert change.after["memberships"] == {str(team.pk): "Team Agent"}


def test_a_role_that_is_given_again_in_the_creating_transaction_comes_after_its_removal():
    team = TeamFactory()
    with transaction.atomic():
        user = UserFactory()
        Membership.objects.create(user=user, team=team).delete()
        Membership.objects.create(user=user, team=team, role="Team Manager")
    assert lines()[-1][2] == {"memberships": {str(team.pk): "Team Manager"}}


def test_a_receiver_that_fails_keeps_nobody_from_hearing_of_the_change(caplog):
    heard = []

    def fail(change, **kwargs):
        heard.append(change.pk)
        raise RuntimeError

    user_changed.connect(fail)
    try:
        with transaction.atomic():
            UserFactory()
            UserFactory()
        user = UserFactory()
    finally:
        user_changed.disconnect(fail)
    assert len(heard) == 3
    assert "failed for change" in caplog.text
    Membership.objects.create(user=user, team=TeamFactory())
    assert lines()[-1][0] == "updated"


@pytest.mark.parametrize(("assigned", "stored"), [("3", 3), (True, 1)])
def test_a_value_is_recorded_as_it_is_stored(assigned, stored):
    user = User.objects.get(pk=UserFactory().pk)
    user.active_chats = assigned
    user.save()
    assert Change.objects.latest("id").after == {"active_chats": stored}
    number = Change.objects.count()
    user.save()
    assert Change.objects.count() == number
