"""A walk through all users of a team by cursor, while others are made, changed and deleted."""

import itertools
import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from tests.assertions import assert_listed
from tests.factories import MembershipFactory, UserFactory
from tests.requirements import on_postgresql
from users.models import Membership

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
USERS = 100_000

# A copy of the user who is there, under other names.
ADD_USERS = """
    INSERT INTO users_user (
        login_id, login_key, email_id, email_key, text_key, password, is_superuser, first_name,
        last_name, status, job_description, login_using_email, role_type, accepting_chats,
        active_chats, custom_attributes, skill_attributes, created_at, updated_at
    )
    SELECT name, name, name, name, name, password, is_superuser, first_name,
        last_name, status, job_description, login_using_email, role_type, accepting_chats,
        active_chats, custom_attributes, skill_attributes, created_at, updated_at
    FROM users_user, LATERAL (SELECT 'walk' || n * 7919 %% 100003 AS name
                              FROM generate_series(1, %s) AS n) AS names
    WHERE id = %s
"""


@pytest.fixture
def crowd(team, user):
    """Make 100,000 members, whose names are in another order than their ids; return their ids."""
    with connection.cursor() as cursor:
        cursor.execute(ADD_USERS, [USERS, user.pk])
        cursor.execute(
            "INSERT INTO users_membership (user_id, team_id, role) "
            "SELECT id, %s, 'Team Agent' FROM users_user WHERE login_key LIKE 'walk%%'",
            [team.pk],
        )
        cursor.execute("ANALYZE users_user, users_membership")
    return list(User.objects.filter(login_key__startswith="walk").values_list("pk", flat=True))


@on_postgresql
def test_a_walk_by_cursor_meets_everybody_once_whatever_others_do(call, team, user, crowd):
    ended, deleted = threading.Event(), set()
    # Here and there in the list; the sort values of the others do not change.
    leaving, changing = iter(crowd[::98]), itertools.cycle(crowd[1::90])

    def disturb():
        try:
            number = 0
            while not ended.wait(0.05):
                number += 1
                added = UserFactory(login_id=f"walk{number * 13}x")
                MembershipFactory(user=added, team=team)
                changed = User.objects.get(pk=next(changing))
                changed.first_name, changed.status = "Bruno", "inactive"
                changed.save()
                if gone := next(leaving, None):
                    deleted.add(gone)
                    Membership.objects.filter(user=gone).delete()
                    User.objects.get(pk=gone).delete()
        finally:
            connection.close()

    others = threading.Thread(target=disturb)
    others.start()
    seen, query = [], ""
    try:
        while query is not None:
            path = f"/api/users?sort=-login_id&page_size=100{query}"
            page = assert_listed(call(method="GET", path=path))
            seen += [member["id"] for member in page["users"]]
            query = page["after"] and f"&after={page['after']}"
    finally:
        ended.set()
        others.join()
    assert len(set(seen)) == len(seen)
    assert {*crowd, user.pk} - deleted <= set(seen)
    assert len(deleted) > 10
