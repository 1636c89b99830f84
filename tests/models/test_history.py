"""What the history keeps of each change of a user, whoever saves it."""

import random

import pytest
from django.contrib.auth import get_user_model
from django.core import serializers
from django.db import transaction
from django.db.models import F

from tests.database import forget_creations
from tests.factories import AdministratorFactory, MembershipFactory, TeamFactory, UserFactory
from users import changes
from users.acting import acting
from users.models import AccessToken, Change, Membership, Team
from users.signals import user_changed

User = get_user_model()


def last_change():
    return Change.objects.latest("id")


@pytest.fixture
def user(team):
    user = UserFactory(skill_attributes={"chess": 3})
    MembershipFactory(user=user, team=team)
    forget_creations()
    return user


@pytest.fixture
def member(user):
    """The user, who was made a while ago."""
    return User.objects.get(pk=user.pk)


def test_a_creation_holds_the_details_and_the_memberships_made_with_it(db):
    team = TeamFactory()
    with transaction.atomic():
        user = User.objects.create_user("Asha", "asha@desk.example", "secret", first_name="Asha")
        Membership.objects.create(user=user, team=team, role="Team Manager")
    [change] = Change.objects.all()
    assert (change.action, change.user_id, change.login_id) == ("created", user.pk, "Asha")
    assert (change.before, change.teams) == ({}, [team.pk])
    assert change.after == {
        "first_name": "Asha",
        "last_name": "",
        "login_id": "Asha",
        "email_id": "asha@desk.example",
        "status": "active",
        "job_description": "",
        "login_using_email": False,
        "role_type": "Customer Care",
        "is_superuser": False,
        "accepting_chats": False,
        "active_chats": 0,
        "custom_attributes": {},
        "skill_attributes": {},
        "password": "set",
        "memberships": {str(team.pk): "Team Manager"},
    }


@pytest.mark.parametrize("fields", [None, ["first_name", "skill_attributes"]])
def test_an_update_holds_what_changed_alone_attributes_key_by_key(member, team, fields):
    member.first_name = "Bruno"
    member.skill_attributes = {"chess": 4, "go": True}
    member.save(update_fields=fields)
    change = last_change()
    assert (change.action, change.teams) == ("updated", [team.pk])
    assert change.before == {"first_name": "Asha", "skill_attributes": {"chess": 3, "go": None}}
    assert change.after == {"first_name": "Bruno", "skill_attributes": {"chess": 4, "go": True}}


def test_what_was_before_is_what_was_stored_not_what_was_read(member):
    User.objects.filter(pk=member.pk).update(first_name="Chloe")
    member.first_name = "Bruno"
    member.save()
    assert last_change().before == {"first_name": "Chloe"}


def test_the_login_id_is_the_one_before_the_change(member):
    before, member.login_id = member.login_id, "renamed"
    member.save()
    assert (last_change().login_id, last_change().after) == (before, {"login_id": "renamed"})


def test_what_a_deactivation_clears_is_part_of_it(member):
    member.accepting_chats = True
    member.save()
    member.status = "inactive"
    member.save(update_fields=["status"])
    assert last_change().before == {"status": "active", "accepting_chats": True}
    assert last_change().after == {"status": "inactive", "accepting_chats": False}


def test_a_save_that_changes_nothing_leaves_no_line(member):
    number = Change.objects.count()
    member.save()
    member.save(update_fields=["last_login"])
    assert Change.objects.count() == number


def test_an_expression_is_recorded_as_what_it_made(member):
    member.active_chats = F("active_chats") + 2
    member.save(update_fields=["active_chats"])
    assert (last_change().before, last_change().after) == ({"active_chats": 0}, {"active_chats": 2})


def test_of_a_password_it_says_that_it_was_set_and_never_which(member):
    member.set_password("secret")
    member.save()
    assert (last_change().before, last_change().after) == ({"password": "set"}, {"password": "set"})
    member.set_unusable_password()
    member.save()
    assert (last_change().before, last_change().after) == ({"password": "set"}, {"password": None})


def test_a_password_that_is_saved_after_other_fields_is_recorded(member):
    before = member.updated_at
    member.set_password("secret")
    member.save(update_fields=["last_login"])
    member.save(update_fields=["first_name"])
    assert Change.objects.filter(action="updated").count() == 0
    member.save(update_fields=["password"])
    assert last_change().after == {"password": "set"}
    assert User.objects.get(pk=member.pk).updated_at > before
    number = Change.objects.count()
    member.save(update_fields=["password"])
    assert Change.objects.count() == number


def test_a_password_that_is_hashed_anew_at_a_log_in_is_not_set(member, settings):
    number = Change.objects.count()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert member.check_password("correct horse battery staple")
    assert User.objects.get(pk=member.pk).password.startswith("pbkdf2_")
    assert Change.objects.count() == number


def test_a_membership_is_recorded_with_its_role(member, team):
    other = TeamFactory()
    membership = Membership.objects.create(user=member, team=other)
    assert last_change().before == {"memberships": {str(other.pk): None}}
    assert last_change().after == {"memberships": {str(other.pk): "Team Agent"}}
    assert last_change().teams == sorted([team.pk, other.pk])
    membership.role = "Team Analyst"
    membership.save()
    assert last_change().before == {"memberships": {str(other.pk): "Team Agent"}}
    assert last_change().after == {"memberships": {str(other.pk): "Team Analyst"}}
    membership.delete()
    assert last_change().after == {"memberships": {str(other.pk): None}}
    assert last_change().teams == sorted([team.pk, other.pk])


def test_a_membership_that_is_handed_to_another_user_changes_both(member, team):
    membership, other = Membership.objects.get(), UserFactory()
    forget_creations()
    membership.user = other
    membership.save()
    gone, come = Change.objects.order_by("-id")[:2][::-1]
    assert (gone.user_id, gone.after) == (member.pk, {"memberships": {str(team.pk): None}})
    assert (come.user_id, come.after) == (other.pk, {"memberships": {str(team.pk): "Team Agent"}})


def test_members_that_are_added_and_removed_by_a_manager_are_recorded(member, team):
    other = TeamFactory()
    other.members.add(member)
    assert last_change().after == {"memberships": {str(other.pk): "Team Agent"}}
    member.teams.remove(team)
    assert last_change().before == {"memberships": {str(team.pk): "Team Agent"}}
    member.teams.clear()
    assert last_change().after == {"memberships": {str(other.pk): None}}


def test_a_team_that_is_deleted_leaves_a_line_for_each_member_by_few_queries(
    team, django_assert_max_num_queries
):
    for _ in range(30):
        MembershipFactory(team=team)
    number = Change.objects.count()
    with django_assert_max_num_queries(12):
        team.delete()
    changes = Change.objects.order_by("id")[number:]
    assert len(changes) == 30
    assert {change.teams[0] for change in changes} == {team.id or changes[0].teams[0]}
    assert all(list(change.after["memberships"].values()) == [None] for change in changes)


@pytest.mark.parametrize("many", [False, True])
def test_a_deletion_holds_all_that_was_there(member, team, many):
    user_id = member.pk
    (User.objects.filter(pk=user_id) if many else member).delete()
    change = last_change()
    assert (change.action, change.user_id, change.after) == ("deleted", user_id, {})
    assert change.before["skill_attributes"] == {"chess": 3}
    assert change.before["memberships"] == {str(team.pk): "Team Agent"}
    assert change.teams == [team.pk]
    assert Change.objects.filter(user_id=user_id, action="updated").count() == 0


def test_a_deletion_of_many_does_not_read_them_for_the_history_alone(member):
    users = User.objects.all()
    users.delete()
    assert users._result_cache is None


def test_a_fixture_is_recorded_too(member):
    text = serializers.serialize("json", [member]).replace('"Asha"', '"Bruno"')
    for loaded in serializers.deserialize("json", text):
        loaded.save()
    assert last_change().after == {"first_name": "Bruno"}


def test_a_change_and_its_line_stand_or_fall_together(member):
    number = Change.objects.count()
    with transaction.atomic():
        member.first_name = "Bruno"
        member.save()
        assert Change.objects.count() == number + 1
        transaction.set_rollback(True)
    assert Change.objects.count() == number


def test_who_acts_and_by_which_door_is_said_by_the_context(member, team):
    operator = AdministratorFactory()
    token, _ = AccessToken.objects.issue("HR system", [team])
    member.first_name = "A"
    member.save()
    assert (last_change().door, last_change().by_type, last_change().trxid) == ("code", "", "")
    for by, by_type, name in (
        (operator, "user", operator.login_id),
        (token, "access_token", "HR system"),
    ):
        with acting("import", by=by, trxid="7"):
            member.first_name = f"B of {by_type}"
            member.save()
        change = last_change()
        assert (change.door, change.by_type, change.by_id) == ("import", by_type, by.pk)
        assert (change.by_name, change.trxid) == (name, "7")


@pytest.mark.django_db(transaction=True)
def test_the_signal_comes_after_the_commit_with_the_change(user):
    received = []

    def receive(change, **kwargs):
        received.append((change, transaction.get_connection().in_atomic_block))

    user_changed.connect(receive)
    try:
        with transaction.atomic():
            user.first_name = "Bruno"
            user.save()
            assert received == []
        Team.objects.all().delete()
    finally:
        user_changed.disconnect(receive)
    (change, in_transaction), (left, _) = received
    assert (change.after, in_transaction) == ({"first_name": "Bruno"}, False)
    assert "memberships" in left.after


def replayed(changes):
    """Return the values that the changes, in their order, leave; each has to fit on the last."""
    values = {}
    for change in changes:
        for name, now in change.after.items():
            was = change.before.get(name)
            if name.endswith("_attributes") and isinstance(was, dict):
                stored = dict(values[name])
                assert {key: stored.get(key) for key in was} == was
                stored |= now
                values[name] = {key: value for key, value in stored.items() if value is not None}
            else:
                assert change.action == "created" or values[name] == was
                values[name] = now
    return values


def any_change(user, generator, n):
    """Return a change of the user, as `changes.validate` does; some change nothing."""
    skills, key = dict(user.skill_attributes), f"k{generator.randrange(8)}"
    if generator.random() < 0.3:
        skills.pop(key, None)
    else:
        skills[key] = generator.choice([n, str(n), ["en", str(n)], 0.5, 1, True])
    return generator.choice(
        [
            {"first_name": f"Asha {n % 7}", "active_chats": n % 5},
            {"login_using_email": n % 3 == 0},
            {"skill_attributes": skills},
            {"skill_attributes": skills, "custom_attributes": {"business": generator.choice("ab")}},
        ]
    )


def test_the_changes_replayed_give_the_stored_user(db):
    user, generator = User.objects.get(pk=UserFactory().pk), random.Random(7)
    with transaction.atomic():
        for n in range(10_000):
            changes.save(user, any_change(user, generator, n))
    user = User.objects.get(pk=user.pk)
    values = replayed(Change.objects.filter(user_id=user.pk).order_by("id"))
    assert Change.objects.count() > 7_000
    assert values.pop("password") == "set"
    assert values == {name: getattr(user, name) for name in values}
