import io

import pytest
from django.core.management import call_command

from tests.factories import UserFactory
from users.management.commands import restart_feed
from users.models import Change, FeedState


def restart():
    output = io.StringIO()
    call_command("restart_feed", stdout=output, stderr=io.StringIO())
    return output.getvalue()


@pytest.fixture
def restored(db, monkeypatch):
    """Changes with transaction ids that another server gave them."""
    monkeypatch.setattr(restart_feed, "_BATCH", 2)
    for number in range(5):
        user = UserFactory()
        Change.objects.filter(user_id=user.pk).update(transaction_id=2**40 - number)
    FeedState.objects.create(pk=1, epoch=3, pruned_transaction_id=2**40, pruned_id=5)


def test_changes_stand_in_the_feed_in_the_order_of_their_ids_before_those_to_come(restored):
    assert restart() == "Restarted the feed; 5 changes had ids of earlier transactions.\n"
    UserFactory()
    feed = list(Change.objects.order_by("transaction_id", "id").values_list("id", flat=True))
    assert feed == sorted(feed)
    assert len(feed) == 6


def test_cursors_from_before_and_from_meanwhile_are_no_longer_valid(restored):
    restart()
    state = FeedState.objects.get()
    assert state.epoch > 4
    assert (state.pruned_transaction_id, state.pruned_id) == (0, 0)


def test_it_runs_again_where_it_was_interrupted(restored, monkeypatch):
    def interrupt(self, number):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restart_feed.Progress, "add", interrupt)
        with pytest.raises(KeyboardInterrupt):
            restart()
    assert Change.objects.filter(transaction_id=0).count() == 2
    assert FeedState.objects.get().epoch == 4
    assert restart() == "Restarted the feed; 3 changes had ids of earlier transactions.\n"


def test_cursors_are_refused_where_there_are_no_transaction_ids_too(db):
    restart()
    assert FeedState.objects.get().epoch > 1
