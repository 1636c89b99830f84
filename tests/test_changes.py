"""`changes.save_many`: the changes of many users, by few statements."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from tests.database import data_statements, stored
from tests.factories import UserFactory
from users import changes
from users.db.postgresql import rows
from users.models import Change

pytestmark = pytest.mark.django_db

User = get_user_model()
TEXTS = ["Zoë “Z” \\ O'Neill", '{"a": [1]}', "%s %(x)s", "a\tb", "\u2028", "😀", ""]
VALUES = {
    "text": TEXTS[0],
    "n": 1e300,
    "small": -5e-324,
    "big": 2**53 - 1,
    "b": False,
    "l": ["", 1],
}


@pytest.fixture
def users():
    made = [UserFactory(active_chats=number) for number in range(3)]
    return [User.objects.get(pk=user.pk) for user in made]


def save(wanted):
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        changes.save_many(wanted, "default")
    return [sql for sql in data_statements(queries) if sql.startswith("UPDATE")]


def test_users_with_the_same_fields_are_one_update_on_postgresql(users):
    updates = save([(user, {"first_name": f"New {user.pk}"}) for user in users])
    assert len(updates) == (1 if connection.vendor == "postgresql" else 3)
    for user in users:
        found = stored(user)
        assert (found.first_name, found.active_chats) == (f"New {user.pk}", user.active_chats)
        assert found.text_key.startswith(f"new {user.pk}")
        assert found.updated_at == user.updated_at


def test_users_with_other_fields_are_saved_too(users):
    first, second, third = users
    save([(first, {"last_name": "A"}), (second, {"status": "inactive"}), (third, {})])
    assert [stored(user).last_name for user in users] == ["A", second.last_name, third.last_name]
    assert [stored(user).status for user in users] == ["active", "inactive", "active"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_is_stored_as_it_is(users, text):
    wanted = {"job_description": text, "custom_attributes": {**VALUES, f"key {text}": text}}
    save([(user, wanted) for user in users])
    for user in users:
        found = stored(user)
        assert found.job_description == text
        assert found.custom_attributes == wanted["custom_attributes"]


def test_more_than_a_statement_takes_is_several(users, monkeypatch):
    monkeypatch.setattr(rows, "_MAX_SIZE", 1)
    save([(user, {"first_name": f"New {user.pk}"}) for user in users])
    assert [stored(user).first_name for user in users] == [f"New {user.pk}" for user in users]
    assert Change.objects.filter(action="updated").count() == 3


@pytest.mark.parametrize("signal", [models.signals.pre_save, models.signals.post_save])
def test_a_receiver_of_the_project_sees_each_save_when_it_is_made(users, signal):
    seen = []

    def receive(instance, **kwargs):
        seen.append((instance.pk, User.objects.filter(first_name="New").count()))

    signal.connect(receive, sender=User)
    try:
        save([(user, {"first_name": "New"}) for user in users])
    finally:
        signal.disconnect(receive, sender=User)
    first = 0 if signal is models.signals.pre_save else 1
    assert seen == [(user.pk, first + number) for number, user in enumerate(users)]


def test_a_save_that_the_project_overrides_finds_the_row_stored(users, monkeypatch):
    seen = []
    save_one = User.save

    def save_and_look(user, **kwargs):
        save_one(user, **kwargs)
        seen.append(stored(user).first_name)

    monkeypatch.setattr(User, "save", save_and_look)
    save([(user, {"first_name": "New"}) for user in users])
    assert seen == ["New"] * 3
