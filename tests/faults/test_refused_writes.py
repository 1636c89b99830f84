"""A database that takes no writes."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from tests.assertions import assert_refused, assert_updated
from tests.database import row
from tests.requirements import on_sqlite

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()


@pytest.fixture
def read_only(call):
    """The database takes no writes while a test runs."""
    call({"first_name": "Asha"})
    on, off = {
        "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
        "postgresql": (
            "SET default_transaction_read_only = on",
            "SET default_transaction_read_only = off",
        ),
        "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(on)
    yield
    with connection.cursor() as cursor:
        cursor.execute(off)


def test_a_read_only_database_fails_the_update(call, user, read_only):
    assert_refused(call({"first_name": "Zoë"}), 3104)
    assert User.objects.get(pk=user.pk).first_name == "Asha"


@on_sqlite
def test_a_full_sqlite_disk_fails_the_update_and_undoes_it(call, user):
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # or what other tests freed would be room
        cursor.execute("PRAGMA page_count")
        [pages] = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            before = row(user)
            numbers = set()
            for n in range(99):
                body = {"first_name": f"n{n}", "skill_attributes": {f"k{n}": "x" * 255}}
                envelope = call(body).json()
                numbers.add(envelope["status_code"])
                if envelope["status_code"] != 4309:
                    break
                before = row(user)
            assert numbers == {4309, 3104}
            assert row(user) == before
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert_updated(call({"first_name": "Zoë"}))
