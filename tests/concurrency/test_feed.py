"""The feed of changes, followed while others change users: each change once, and none missed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from tests.factories import MembershipFactory
from tests.feed import wait_for_horizon
from tests.requirements import on_postgresql
from users.models import Change, Membership

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
THREADS, CHANGES = 6, 40


class Follower:
    """A system that asks for the feed again and again, with the cursor of its last answer."""

    def __init__(self, server, headers):
        self.server, self.headers = server, headers
        self.query, self.ids = "", []

    def ask(self):
        """Take one page, and return True if there may be more."""
        path = f"/api/changes?page_size=7{self.query}"
        _, envelope = self.server.call(path, b"", self.headers, "GET")
        page = envelope["response"]
        self.ids += [change["id"] for change in page["changes"]]
        self.query = f"&after={page['after']}"
        return page["has_more"]

    def catch_up(self):
        while self.ask():
            pass


def change_and_leave(membership):
    """Change the user, who leaves the team and comes back every now and then."""
    try:
        user = User.objects.get(pk=membership.user_id)
        for n in range(CHANGES):
            with transaction.atomic():
                user.first_name = f"Asha {n}"
                user.save()
                if n % 5 == 2:
                    Membership.objects.filter(user=user).delete()
                elif n % 5 == 3:
                    Membership.objects.create(user=user, team_id=membership.team_id)
    finally:
        connection.close()


@on_postgresql
def test_a_follower_gets_each_change_once_though_transactions_overlap(server, call, team):
    memberships = MembershipFactory.create_batch(THREADS, team=team)
    late = User.objects.get(pk=MembershipFactory(team=team).user_id)
    follower, may_end = Follower(server, call.headers), threading.Event()
    follower.catch_up()

    def change_slowly():
        """Write a change early in a transaction that ends after the others have come and gone."""
        try:
            with transaction.atomic():
                late.first_name = "Late"
                late.save()
                may_end.wait(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS + 1) as pool:
        slow = pool.submit(change_slowly)
        quick = [pool.submit(change_and_leave, membership) for membership in memberships]
        while not all(future.done() for future in quick):
            follower.ask()
        time.sleep(2)
        follower.catch_up()
        slow_was_open = not slow.done()
        may_end.set()
        for future in [slow, *quick]:
            future.result(60)
    assert slow_was_open
    wait_for_horizon()
    follower.catch_up()
    expected = set(Change.objects.filter(teams__contains=[team.pk]).values_list("id", flat=True))
    assert len(expected) > THREADS * CHANGES / 2
    assert (len(follower.ids), set(follower.ids)) == (len(expected), expected)


@on_postgresql
def test_what_a_running_transaction_could_come_before_is_held_back(server, call, team, user):
    follower = Follower(server, call.headers)
    members = MembershipFactory.create_batch(2, team=team)
    first, second = (User.objects.get(pk=member.user_id) for member in members)
    wait_for_horizon()
    follower.catch_up()
    number = len(follower.ids)

    def rename(member):
        member.first_name = "Bruno"
        member.save()

    def rename_at_once():
        try:
            rename(second)
        finally:
            connection.close()

    with transaction.atomic():
        rename(first)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(rename_at_once).result(30)
        follower.catch_up()
        assert len(follower.ids) == number
    wait_for_horizon()
    follower.catch_up()
    latest = Change.objects.order_by("-id").values_list("id", flat=True)[:2]
    assert follower.ids[number:] == sorted(latest)
