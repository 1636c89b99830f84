"""Bulk updates against each other and single updates: no deadlock, nothing lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from tests.factories import AdministratorFactory, MembershipFactory, UserFactory
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from users.models import Change, Membership

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


@pytest.fixture
def members(team):
    """A thousand members of the team."""
    users = User.objects.bulk_create(UserFactory.build_batch(1000, password="!"))
    Membership.objects.bulk_create([Membership(user=user, team=team) for user in users])
    return users


@pytest.fixture
def send(server, call):
    """Make a call; returns its envelope."""
    headers = {**call.headers, "Content-Type": "application/json"}

    def make(path, body):
        return server.call(path, body, headers)[1]

    return make


def test_bulks_in_opposite_orders_and_single_updates_lose_nothing(send, members):
    def bulk(key, users):
        name = "login_id" if key == "two" else "id"  # the second names them otherwise
        values = [u.login_id.upper() if name == "login_id" else u.pk for u in users]
        items = [{name: value, "skill_attributes": {key: 1}} for value in values]
        return "/api/users", {"users": items}

    singles = [
        (f"/api/users/{user.pk}", {"skill_attributes": {"single": 1}}) for user in members[::25]
    ]
    calls = [bulk("one", members), *singles[:20], bulk("two", members[::-1]), *singles[20:]]
    before = Change.objects.count()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda request: send(*request), calls))
    assert {answer["status_code"] for answer in answers} == {4309}
    stored = User.objects.filter(pk__in=[user.pk for user in members]).order_by("pk")
    for number, user in enumerate(stored):
        single = {"single": 1} if number % 25 == 0 else {}
        assert user.skill_attributes == {"one": 1, "two": 1} | single
    assert Change.objects.count() == before + 2 * 1000 + len(singles)


@on_postgresql
def test_superusers_are_locked_first_as_on_admin_pages(send, team):
    # By id alone, a bulk would lock the user first, and a page of the admin site the superuser.
    user = UserFactory()
    superuser = AdministratorFactory(is_superuser=True)
    for member in (user, superuser):
        MembershipFactory(user=member, team=team)
    items = [{"id": member.pk, "last_name": "B"} for member in (user, superuser)]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.lock_superusers()
            answer = pool.submit(send, "/api/users", {"users": items})
            wait_until_somebody_waits_for_a_lock()
            User.objects.select_for_update(nowait=True).get(pk=user.pk)
        assert answer.result(30)["status_code"] == 4309


@on_postgresql
@pytest.mark.parametrize(
    "change",
    [
        lambda users: Membership.objects.filter(user__in=users).update(role="Team Manager"),
        lambda users: User.objects.bulk_update(users, ["first_name"]),
    ],
)
def test_what_changes_many_locks_superusers_first_too(team, change):
    user = UserFactory()
    superuser = AdministratorFactory(is_superuser=True)
    for member in (user, superuser):
        MembershipFactory(user=member, team=team)

    def in_a_thread():
        try:
            change([user, superuser])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.lock_superusers()
            changed = pool.submit(in_a_thread)
            wait_until_somebody_waits_for_a_lock()
            User.objects.select_for_update(nowait=True).get(pk=user.pk)
        changed.result(30)


@on_postgresql
def test_who_left_the_team_while_the_call_waited_is_not_found(send, members):
    one, other = members[:2]
    items = [{"id": user.pk, "last_name": "B"} for user in (one, other)]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=other.pk)
            answer = pool.submit(send, "/api/users", {"users": items})
            wait_until_somebody_waits_for_a_lock()
            Membership.objects.filter(user=other).delete()
        outcomes = answer.result(30)["response"]["users"]
    assert [outcome["status_code"] for outcome in outcomes] == [4309, 3101]
    assert User.objects.get(pk=other.pk).last_name == "Rao"


@on_postgresql
def test_who_was_renamed_while_the_call_waited_is_not_found_by_the_old_name(send, members):
    one = members[0]
    items = [{"login_id": one.login_id, "last_name": "B"}]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            renamed = User.objects.select_for_update().get(pk=one.pk)
            answer = pool.submit(send, "/api/users", {"users": items})
            wait_until_somebody_waits_for_a_lock()
            renamed.login_id = "renamed"
            renamed.save()
        [outcome] = answer.result(30)["response"]["users"]
    assert (outcome["id"], outcome["status_code"]) == (None, 3101)
