"""What the databases do each in their own way."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from tests.factories import UserFactory
from users import search
from users.db.operations import IndexAttributes, LeaveRoomForUpdates

User = get_user_model()
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own")


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@on_postgresql
@pytest.mark.django_db
def test_an_update_finds_room_beside_the_row_and_touches_no_index():
    get_user_model().objects.bulk_create(UserFactory.build_batch(200))
    users = list(get_user_model().objects.all()[:20])  # all of the table's first page
    before = ask("SELECT pg_stat_get_xact_tuples_hot_updated('users_user'::regclass)")
    for user in users[:3]:
        user.save(update_fields=["first_name"])
    after = ask("SELECT pg_stat_get_xact_tuples_hot_updated('users_user'::regclass)")
    assert after - before == 3


@on_postgresql
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


FIELDS = ("custom_attributes", "skill_attributes")
STATE = MigrationLoader(None).project_state()


@pytest.fixture
def indexed(db):
    operation = IndexAttributes(*FIELDS)
    with connection.schema_editor() as editor:
        operation.database_forwards("users", editor, STATE, STATE)
    return operation


def plan(condition):
    """Return how PostgreSQL finds the users who meet a condition, if it would rather not scan."""
    users = User.objects.filter(search.matching([condition], "", "memberships__role")).order_by()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return users.values("pk").explain()


@on_postgresql
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("operator", "operand"),
    [("eq", "Banking"), ("eq", ["en", "hi"]), ("in", ["Banking", 3, True]), ("contains", "hi")],
)
def test_a_search_for_attributes_can_use_the_index(indexed, field, operator, operand):
    condition = search.Condition(field, operator, operand, "key")
    assert f"Bitmap Index Scan on users_user_{field}_gin" in plan(condition)


@on_postgresql
def test_the_index_is_dropped_where_the_operation_is_reversed(indexed):
    names = "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'users_user_%_gin'"
    assert ask(names) == 2
    with connection.schema_editor() as editor:
        indexed.database_backwards("users", editor, STATE, STATE)
    assert ask(names) == 0


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_the_index_is_built_concurrently():
    operation, names = IndexAttributes(*FIELDS), "users_user_custom_attributes_gin"
    with connection.schema_editor(atomic=False) as editor, CaptureQueriesContext(connection) as ran:
        operation.database_forwards("users", editor, STATE, STATE)
        operation.database_backwards("users", editor, STATE, STATE)
    assert all("INDEX CONCURRENTLY" in query["sql"] for query in ran)
    assert names in ran[0]["sql"]


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="of the other databases")
def test_elsewhere_no_index_is_made():
    operation, editor = IndexAttributes(*FIELDS), connection.schema_editor(collect_sql=True)
    operation.database_forwards("users", editor, STATE, STATE)
    operation.database_backwards("users", editor, STATE, STATE)
    assert editor.collected_sql == []
