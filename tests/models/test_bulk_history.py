"""What the history keeps of changes of many rows at once, and of those that managers make."""

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import NotSupportedError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone

from tests.database import forget_creations
from tests.factories import MembershipFactory, TeamFactory, UserFactory
from users.models import Change, Membership, Session, recording

User = get_user_model()


def described(changes):
    return [(change.user_id, change.before, change.after) for change in changes]


@pytest.fixture
def new_changes(db):
    """Return the changes that are new since the last time that it was called."""
    seen = [0]

    def new_changes():
        changes = list(Change.objects.filter(id__gt=seen[0]).order_by("id"))
        seen[0] = max([seen[0], *(change.pk for change in changes)])
        return changes

    return new_changes


@pytest.fixture
def users(new_changes):
    """Two users, who were made a while ago."""
    users = [UserFactory(), UserFactory()]
    forget_creations()
    new_changes()
    return users


@pytest.fixture
def proxy(db):
    """A proxy of `Membership`, as a project may have one."""

    class Place(Membership):
        class Meta:
            proxy = True
            app_label = "users"

    recording.connect()  # as at the start, once all models are there
    yield Place
    del apps.all_models["users"]["place"]
    apps.clear_cache()


def of_team(team, role):
    return {"memberships": {str(team.pk): role}}


def test_users_that_are_created_in_bulk_are_recorded(new_changes):
    users = User.objects.bulk_create([UserFactory.build(), UserFactory.build(password=None)])
    with_password, without = new_changes()
    assert [with_password.user_id, without.user_id] == [user.pk for user in users]
    assert (with_password.action, with_password.before) == ("created", {})
    assert with_password.login_id == users[0].login_id
    assert with_password.after["first_name"] == "Asha"
    assert with_password.after["password"] == "set"
    assert "password" not in without.after


def test_a_password_that_was_set_before_a_creation_in_bulk_is_recorded_once(new_changes):
    user = UserFactory.build()
    user.set_password("secret")
    User.objects.bulk_create([user])
    user.first_name = "Bruno"
    user.save()
    assert [change.after.get("password") for change in new_changes()] == ["set", None]


def test_memberships_that_are_created_with_their_users_belong_to_the_creation(new_changes):
    team = TeamFactory()
    with transaction.atomic():
        users = User.objects.bulk_create(UserFactory.build_batch(2))
        Membership.objects.bulk_create(Membership(user=user, team=team) for user in users)
    for change in new_changes():
        assert (change.action, change.teams) == ("created", [team.pk])
        assert change.after["memberships"] == {str(team.pk): "Team Agent"}


def test_a_user_who_is_created_in_bulk_and_is_inactive_accepts_no_chats(db):
    [user] = User.objects.bulk_create([UserFactory.build(status="inactive", accepting_chats=True)])
    assert not User.objects.get(pk=user.pk).accepting_chats


@pytest.mark.parametrize("option", ["ignore_conflicts", "update_conflicts"])
def test_users_cannot_be_created_in_bulk_where_conflicts_would_hide_who_is_new(db, option):
    with pytest.raises(NotSupportedError, match="history"):
        User.objects.bulk_create([UserFactory.build()], **{option: True})


def test_users_that_are_updated_in_bulk_are_recorded(users, new_changes):
    one, other = users
    before = other.updated_at
    one.first_name, other.first_name = "Bruno", Concat(F("first_name"), Value("!"))
    assert User.objects.bulk_update([other, one, User(pk=0)], ["first_name"]) == 2
    assert sorted(described(new_changes())) == [
        (one.pk, {"first_name": "Asha"}, {"first_name": "Bruno"}),
        (other.pk, {"first_name": "Asha"}, {"first_name": "Asha!"}),
    ]
    assert User.objects.get(pk=other.pk).updated_at > before


def test_a_deactivation_in_bulk_ends_sessions(users):
    user = users[0]
    Session.objects.create(session_key="a" * 32, user=user, expire_date=timezone.now())
    user.accepting_chats = True
    user.save()
    user.status = "inactive"
    User.objects.bulk_update(users, ["status"])
    assert not User.objects.get(pk=user.pk).accepting_chats
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("rows", "fields", "error"),
    [
        ([User()], ["first_name"], "primary key"),
        ([], [], "Field names"),
        ([], ["id"], "primary key"),
    ],
)
def test_a_bulk_update_that_names_no_user_or_no_field_is_refused(db, rows, fields, error):
    with pytest.raises(Exception, match=error):
        User.objects.bulk_update(rows, fields)


def test_memberships_that_are_created_in_bulk_are_recorded(users, new_changes):
    here, there = TeamFactory(), TeamFactory()
    Membership.objects.bulk_create(
        [
            Membership(user=users[0], team=here),
            Membership(user=users[0], team=there, role="Team Manager"),
            Membership(user=users[1], team=here),
        ]
    )
    both = {str(here.pk): "Team Agent", str(there.pk): "Team Manager"}
    none = dict.fromkeys(both)
    assert described(new_changes()) == [
        (users[0].pk, {"memberships": none}, {"memberships": both}),
        (users[1].pk, of_team(here, None), of_team(here, "Team Agent")),
    ]


@pytest.mark.parametrize("role", ["Team Agent", "Team Manager"])
def test_of_conflicts_that_are_ignored_or_updated_what_changed_is_recorded(
    users, new_changes, role
):
    membership = MembershipFactory(user=users[0])
    new_changes()
    rows = [Membership(user=user, team=membership.team, role=role) for user in users]
    Membership.objects.bulk_create(rows, ignore_conflicts=True)
    added = of_team(membership.team, role)
    none = of_team(membership.team, None)
    assert described(new_changes()) == [(users[1].pk, none, added)]


def test_memberships_that_are_updated_in_bulk_are_recorded(users, new_changes):
    memberships = [MembershipFactory(user=user) for user in users]
    new_changes()
    for membership, role in zip(memberships, ["Team Analyst", "Team Agent"], strict=True):
        membership.role = role
    Membership.objects.bulk_update(memberships, ["role"])
    team = memberships[0].team
    assert described(new_changes()) == [
        (users[0].pk, of_team(team, "Team Agent"), of_team(team, "Team Analyst"))
    ]


def test_roles_that_a_query_updates_are_recorded(users, new_changes):
    memberships = [MembershipFactory(user=user) for user in users]
    MembershipFactory(role="Team Manager")
    new_changes()
    agents = Membership.objects.filter(role="Team Agent", user__status="active")
    assert agents.order_by("team__name").update(role="Team Analyst") == 2
    assert described(new_changes()) == [
        (each.user_id, of_team(each.team, "Team Agent"), of_team(each.team, "Team Analyst"))
        for each in memberships
    ]


@pytest.mark.parametrize("create_defaults", [{}, {"role": "Team Analyst"}])
def test_a_membership_that_is_updated_or_created_is_recorded(users, new_changes, create_defaults):
    team = TeamFactory()
    for role in ("Team Agent", "Team Manager"):
        Membership.objects.update_or_create(
            {"role": role},
            user=users[0],
            team=team,
            **({"create_defaults": create_defaults} if create_defaults else {}),
        )
    first = create_defaults.get("role", "Team Agent")
    assert described(new_changes()) == [
        (users[0].pk, of_team(team, None), of_team(team, first)),
        (users[0].pk, of_team(team, first), of_team(team, "Team Manager")),
    ]


@pytest.mark.parametrize("by_team", [False, True])
def test_a_membership_that_a_relation_takes_over_changes_both_sides(users, new_changes, by_team):
    membership, other = MembershipFactory(user=users[0]), TeamFactory()
    new_changes()
    team = membership.team
    if by_team:
        other.memberships.add(membership)
        expected = {str(team.pk): "Team Agent", str(other.pk): None}
        [change] = new_changes()
        assert change.before["memberships"] == expected
        return
    users[1].memberships.add(membership)
    assert described(new_changes()) == [
        (users[0].pk, of_team(team, "Team Agent"), of_team(team, None)),
        (users[1].pk, of_team(team, None), of_team(team, "Team Agent")),
    ]


def test_members_that_are_set_by_a_manager_are_recorded_each_once(users, new_changes):
    team = MembershipFactory(user=users[0]).team
    new_changes()
    team.members.set([users[1]], through_defaults={"role": "Team Manager"})
    assert described(new_changes()) == [
        (users[0].pk, of_team(team, "Team Agent"), of_team(team, None)),
        (users[1].pk, of_team(team, None), of_team(team, "Team Manager")),
    ]


@pytest.mark.parametrize("many", [False, True])
def test_memberships_that_a_proxy_deletes_are_recorded(users, new_changes, many, proxy):
    team = MembershipFactory(user=users[0]).team
    new_changes()
    (proxy.objects.all() if many else proxy.objects.get()).delete()
    assert described(new_changes()) == [
        (users[0].pk, of_team(team, "Team Agent"), of_team(team, None))
    ]


def test_a_membership_of_many_takes_as_many_queries_as_of_one(users, django_assert_num_queries):
    """The memberships, the users' locks, the memberships again, the insertion, what they are
    then, the users' teams, and the changes. On MariaDB, superusers are locked before others."""
    team, many = TeamFactory(), TeamFactory()
    more = UserFactory.create_batch(20)
    forget_creations()
    superusers = connection.vendor == "mysql"
    for members, where, count in (users[:1], team, 7), (more, many, 7 + superusers):
        with django_assert_num_queries(count):
            Membership.objects.bulk_create(Membership(user=user, team=where) for user in members)
