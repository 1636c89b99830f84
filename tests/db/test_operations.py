"""What the databases do each in their own way."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.factories import UserFactory
from users.db.operations import LeaveRoomForUpdates

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own")


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_an_update_finds_room_beside_the_row_and_touches_no_index():
    get_user_model().objects.bulk_create(UserFactory.build_batch(200))
    users = list(get_user_model().objects.all()[:20])  # all of the table's first page
    before = ask("SELECT pg_stat_get_xact_tuples_hot_updated('users_user'::regclass)")
    for user in users[:3]:
        user.save(update_fields=["first_name"])
    after = ask("SELECT pg_stat_get_xact_tuples_hot_updated('users_user'::regclass)")
    assert after - before == 3


@pytest.mark.django_db
def test_the_room_is_taken_back_where_the_operation_is_reversed():
    options = "SELECT reloptions FROM pg_class WHERE oid = 'users_user'::regclass"
    state = MigrationLoader(connection).project_state()
    operation = LeaveRoomForUpdates("User")
    assert ask(options) == ["fillfactor=85"]
    with connection.schema_editor() as editor:
        operation.database_backwards("users", editor, state, state)
        assert ask(options) is None
        operation.database_forwards("users", editor, state, state)
    assert ask(options) == ["fillfactor=85"]
