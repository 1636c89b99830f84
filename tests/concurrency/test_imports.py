"""Imports against calls that update the same users, and imports that are killed."""

import os
import random
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model

from tests.factories import AttributeDefinitionFactory, MembershipFactory, UserFactory
from tests.server import PROJECT, database_url
from users.models import Change, Membership

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def command():
    """Start `manage.py import_users` on the test database."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url(),
        "SECRET_KEY": secrets.token_urlsafe(50),
    }

    def start(path, *arguments):
        manage = [sys.executable, "manage.py", "import_users", str(path), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(manage, cwd=PROJECT, env=environment, stdout=pipe, stderr=pipe)

    return start


def write(path, rows):
    path.write_text("\n".join([",".join(map(str, row)) for row in rows]) + "\n")
    return path


def test_an_import_while_calls_update_the_same_users_loses_nothing(
    command, server, call, team, tmp_path
):
    for name in ("imported", "called"):
        AttributeDefinitionFactory(name=name, type="number")
    users = get_user_model().objects.bulk_create(UserFactory.build_batch(2500, password="!"))
    Membership.objects.bulk_create([Membership(user=user, team=team) for user in users])
    rows = [(user.login_id, number) for number, user in enumerate(users)]
    process = command(write(tmp_path / "users.csv", [("Login ID", "custom:imported"), *rows]))
    headers = {**call.headers, "Content-Type": "application/json"}
    called = random.Random(1).sample(users, 400)

    def update(user):
        body = {"custom_attributes": {"called": user.pk}}
        return server.call(f"/api/users/{user.pk}", body, headers)[0]

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(update, called)) == {200}
    output, error = process.communicate(timeout=120)
    assert output.startswith(b"Imported: 0 created, 2,500 updated"), (output, error)
    expected = {user.pk: {"imported": number} for number, user in enumerate(users)}
    for user in called:
        expected[user.pk]["called"] = user.pk
    found = get_user_model().objects.filter(pk__in=expected)
    assert dict(found.values_list("pk", "custom_attributes")) == expected
    # Each change is in the history, with what was before it.
    assert Change.objects.filter(door="import", action="updated").count() == 2500
    assert Change.objects.filter(door="api").count() == 400


def test_a_killed_import_is_run_again_without_harm(command, team, tmp_path):
    old = UserFactory(login_id="new2999@desk.example", email_id="new2999@desk.example")
    MembershipFactory(user=old, team=team)
    rows = [(f"new{n}@desk.example", "Eve", team.name) for n in range(3000)]
    path = write(tmp_path / "users.csv", [("Login ID", "First Name", "Team"), *rows])
    process = command(path)
    deadline = time.monotonic() + 60
    while not Membership.objects.exclude(user=old).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    made = get_user_model().objects.filter(first_name="Eve").count()
    assert made in (1000, 2000, 3000)  # whole batches
    again, _ = command(path).communicate(timeout=120)
    assert f"Imported: {max(2999 - made, 0):,} created".encode() in again
    assert get_user_model().objects.filter(first_name="Eve", teams=team).count() == 3000
    # Each was made once, by one line of the history.
    changes = Change.objects.filter(door="import", action="created")
    assert changes.values("user_id").distinct().count() == changes.count() == 2999
