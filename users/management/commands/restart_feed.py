"""Restarts the feed of changes after a dump was restored (`--help`)."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import router, transaction
from django.db.models import Max

from users.management.progress import Progress
from users.models import Change, FeedState

_BATCH = 1_000


class Command(BaseCommand):
    help = (
        "Restarts the feed of changes after a dump was restored: the ids of the changes' "
        "transactions are another server's then. Cursors from before are refused, and whoever "
        "follows the feed starts again. It can be interrupted, and run again, at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.using = router.db_for_write(Change)
        changes = Change._default_manager.using(self.using)
        self.invalidate_cursors()
        # Those that come from now on have ids of this server.
        last = changes.aggregate(last=Max("pk"))["last"] or 0
        foreign = changes.filter(transaction_id__gt=0, pk__lte=last)
        progress = Progress(self.stderr, foreign.count(), "changes")
        done = 0
        while batch := list(
            foreign.filter(pk__gt=done).order_by("pk").values_list("pk", flat=True)[:_BATCH]
        ):
            changes.filter(pk__in=batch).update(transaction_id=0)
            done = batch[-1]
            progress.add(len(batch))
        progress.finish()
        # Those that were given out meanwhile too: changes have moved to before them.
        self.invalidate_cursors()
        self.stdout.write(
            f"Restarted the feed; {progress.done:,} changes had ids of earlier transactions."
        )

    def invalidate_cursors(self) -> None:
        with transaction.atomic(using=self.using):
            state = FeedState.locked(self.using)
            state.epoch += 1
            state.pruned_transaction_id = state.pruned_id = 0
            state.save(using=self.using)
