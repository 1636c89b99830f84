import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from tests.factories import AdministratorFactory, UserFactory
from tests.postgresql import wait_until_somebody_waits_for_a_lock
from tests.requirements import on_postgresql
from users.acting import acting
from users.management.commands import prune_history
from users.models import Change, FeedState, User


def make_changes(number, *, days_ago, transaction_id=0):
    at = timezone.now() - timedelta(days=days_ago)
    return Change.objects.bulk_create(
        Change(
            transaction_id=transaction_id,
            at=at + timedelta(seconds=i),
            user_id=7,
            login_id="asha",
            action="updated",
            door="code",
            before={},
            after={"first_name": f"Asha {i}"},
        )
        for i in range(number)
    )


def prune(*arguments):
    output = io.StringIO()
    call_command("prune_history", *arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(prune_history, "_DELETED_AT_ONCE", 10)
    monkeypatch.setattr(prune_history, "_ERASED_AT_ONCE", 2)


@pytest.mark.django_db
def test_it_deletes_what_is_older_and_says_how_many():
    make_changes(25, days_ago=31)
    kept = make_changes(3, days_ago=29)
    assert prune("--days=30") == "Deleted 25 changes older than 30 days.\n"
    assert list(Change.objects.order_by("id")) == kept
    assert prune("--days=30") == "Deleted 0 changes older than 30 days.\n"


@pytest.mark.django_db
def test_it_notes_the_last_place_of_the_feed_that_was_pruned():
    # In the order of the feed, an earlier transaction's change comes first whatever its id.
    late = make_changes(5, days_ago=40, transaction_id=9)
    make_changes(5, days_ago=40, transaction_id=8)
    make_changes(5, days_ago=1, transaction_id=10)
    prune("--days=30")
    state = FeedState.objects.get()
    assert (state.pruned_transaction_id, state.pruned_id) == (9, late[-1].pk)
    prune("--days=7")  # which prunes nothing
    assert FeedState.objects.get().pruned_id == late[-1].pk


@pytest.mark.django_db
def test_it_deletes_the_oldest_first_and_each_batch_stays_where_it_is_interrupted(monkeypatch):
    changes = make_changes(25, days_ago=31)
    batches = []

    def interrupt(self, number):
        batches.append(number)
        if len(batches) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(prune_history.Progress, "add", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prune("--days=30")
    assert list(Change.objects.order_by("id")) == changes[20:]
    assert FeedState.objects.get().pruned_id == changes[19].pk


@pytest.mark.django_db
def test_it_shows_its_progress_on_a_terminal_alone(monkeypatch):
    make_changes(25, days_ago=31)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    call_command("prune_history", "--days=30", stdout=io.StringIO(), stderr=terminal)
    bars = [line for line in terminal.getvalue().split("\r") if "of 25" in line]
    assert [bar.partition("] ")[2] for bar in bars] == [
        "10 of 25 changes",
        "20 of 25 changes",
        "25 of 25 changes",
    ]
    assert [bar.count("#") for bar in bars] == [9, 19, 24]
    make_changes(1, days_ago=31)
    file = io.StringIO()
    call_command("prune_history", "--days=30", stdout=io.StringIO(), stderr=file)
    assert file.getvalue() == ""


@pytest.mark.django_db(transaction=True)
def test_users_are_updated_while_it_prunes_and_nothing_new_is_lost():
    users = [UserFactory() for _ in range(4)]
    made = Change.objects.count()
    make_changes(300, days_ago=31)
    errors = []

    def update(user):
        try:
            for number in range(25):
                user.first_name = f"Asha {number}"
                user.save(update_fields=["first_name"])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=update, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    assert prune("--days=30") == "Deleted 300 changes older than 30 days.\n"
    for thread in threads:
        thread.join()
    assert errors == []
    assert Change.objects.count() == made + 4 * 25
    assert not Change.objects.filter(user_id=7, login_id="asha").exists()


@pytest.fixture
def asha(db):
    """Who was made and changed, and who changed another."""
    asha = AdministratorFactory(login_id="asha", skill_attributes={"chess": 3})
    asha = User.objects.get(pk=asha.pk)
    other = User.objects.get(pk=UserFactory(login_id="bruno").pk)
    asha.first_name, asha.skill_attributes = "Ada", {"chess": 4}
    asha.save()
    with acting("admin", by=asha):
        other.first_name = "Chloe"
        other.save()
    return asha


def test_it_erases_the_values_and_names_of_one_user_and_keeps_the_changes(asha):
    number = Change.objects.count()
    assert prune(f"--user={asha.pk}") == f"Erased what 3 changes held of user {asha.pk}.\n"
    assert Change.objects.count() == number
    creation, update = Change.objects.filter(user_id=asha.pk).order_by("id")
    assert (creation.login_id, creation.before) == ("", {})
    assert creation.after["email_id"] is creation.after["password"] is None
    assert (update.login_id, update.action) == ("", "updated")
    assert update.before == update.after == {"first_name": None, "skill_attributes": {}}
    assert not FeedState.objects.filter(pruned_id__gt=0).exists()


def test_what_the_erased_user_did_to_others_stays_without_the_name(asha):
    prune(f"--user={asha.pk}")
    change = Change.objects.get(by_id=asha.pk)
    assert (change.by_type, change.by_name) == ("user", "")
    assert (change.login_id, change.after) == ("bruno", {"first_name": "Chloe"})


def test_a_deleted_user_is_erased_and_a_second_time_too(asha):
    user_id = asha.pk
    asha.delete()
    for _ in range(2):
        assert prune(f"--user={user_id}") == f"Erased what 4 changes held of user {user_id}.\n"
    for change in Change.objects.filter(user_id=user_id):
        held = [*change.before.values(), *change.after.values()]
        assert [value for value in held if value not in (None, {})] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deletes", [False, True])
def test_what_an_open_transaction_has_written_is_erased_too(asha, deletes):
    """Also if its changes have lower ids than what has been erased."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), acting("admin", by=asha):
            asha.first_name = "Secret"
            asha.save()
            user_id = asha.pk
            if deletes:
                asha.delete()
            output = pool.submit(in_a_thread, f"--user={user_id}")
            if connection.vendor == "postgresql":
                wait_until_somebody_waits_for_a_lock()
        assert (
            output.result(30)
            == f"Erased what {5 if deletes else 4} changes held of user {user_id}.\n"
        )
    for change in Change.objects.filter(user_id=user_id):
        assert "Secret" not in [*change.before.values(), *change.after.values()]
    assert not Change.objects.filter(login_id="asha").exists()
    assert not Change.objects.filter(by_name="asha").exists()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_does_not_end_is_an_error_that_says_so(asha):
    def erase():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return in_a_thread(f"--user={asha.pk}")

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        User.objects.select_for_update().get(pk=asha.pk)
        with pytest.raises(CommandError, match="run it again"):
            pool.submit(erase).result(30)
    assert not Change.objects.filter(login_id="asha").exists()


def in_a_thread(*arguments):
    try:
        return prune(*arguments)
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments --days --user is required"),
        (["--days=30", "--user=1"], "not allowed with argument"),
        (["--days=0"], "'0' is not a number of days from 1 to 36500"),
        (["--days=-1"], "'-1' is not a number of days from 1 to 36500"),
        (["--days=36501"], "'36501' is not a number of days"),
        (["--days=ten"], "'ten' is not a number of days"),
        (["--days=" + "9" * 5000], "is not a number of days"),
        (["--user="], "There is no user , and no change of one in the history."),
        (["--user=0"], "There is no user 0, and no change of one in the history."),
        (["--user=-1"], "There is no user -1, and"),
        (["--user=asha"], "There is no user asha, and"),
        (["--user=" + "9" * 30], "There is no user " + "9" * 30),
    ],
)
def test_it_names_what_is_wrong_and_changes_nothing(asha, arguments, message):
    make_changes(1, days_ago=36501)
    before = list(Change.objects.order_by("id").values())
    with pytest.raises(CommandError, match=message):
        prune(*arguments)
    assert list(Change.objects.order_by("id").values()) == before
