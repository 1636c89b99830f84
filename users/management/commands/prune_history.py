"""Deletes old changes from the history, or erases a person in it (`--help`)."""

import argparse
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, router, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from users.db.keys import row_id
from users.management import arguments
from users.management.progress import Progress
from users.models import Change, FeedState

# Each batch is a short transaction: it blocks nobody, and what it did stays if the next one fails.
_DELETED_AT_ONCE = 1_000
_ERASED_AT_ONCE = 200  # each row has values of its own in the statement


class Command(BaseCommand):
    help = (
        "Deletes old changes from the history, or erases one person's values and names in it. "
        "It can be interrupted, and run again, at any time."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--days",
            type=arguments.days,
            metavar="N",
            help="delete the changes that are older than N days",
        )
        what.add_argument(
            "--user",
            metavar="ID",
            help="erase this user's values and login ids. The changes stay, with the names of the "
            "fields that changed and no value. What is written later is not erased: to forget a "
            "person, delete the user first",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.using = router.db_for_write(Change)
        self.changes = Change._default_manager.using(self.using)
        if options["user"] is None:
            self.delete_older_than(options["days"])
        else:
            self.erase(options["user"])

    def delete_older_than(self, days: int) -> None:
        old = self.changes.filter(at__lt=timezone.now() - timedelta(days=days))
        progress = Progress(self.stderr, old.count(), "changes")
        while number := self.delete_batch(old):
            progress.add(number)
        progress.finish()
        self.stdout.write(f"Deleted {progress.done:,} changes older than {days} days.")

    def delete_batch(self, old: QuerySet[Change]) -> int:
        """Delete the oldest changes of `old`, and return how many."""
        with transaction.atomic(using=self.using):
            # First of all the lock, so that two runs at once do not delete the same changes.
            state = FeedState.locked(self.using)
            places = list(
                old.order_by("at", "id").values_list("transaction_id", "id")[:_DELETED_AT_ONCE]
            )
            if places:
                self.changes.filter(pk__in=[pk for _, pk in places]).delete()
                pruned = state.pruned_transaction_id, state.pruned_id
                state.pruned_transaction_id, state.pruned_id = max(pruned, *places)
                state.save(using=self.using)
        return len(places)

    def erase(self, text: str) -> None:
        user_id = row_id(text)
        about_user = Q(user_id=user_id)
        by_user = Q(by_type=Change.ByType.USER, by_id=user_id)
        number = self.changes.filter(about_user | by_user).count()
        is_user = get_user_model()._base_manager.using(self.using).filter(pk=user_id).exists()
        if not (number or is_user):
            raise CommandError(f"There is no user {text}, and no change of one in the history.")
        progress = Progress(self.stderr, number, "changes")
        last = 0
        while batch := self.erase_batch(about_user | by_user, user_id, after=last):
            progress.add(len(batch))
            last = batch[-1]
        progress.finish()
        number = progress.done + self.erase_what_came_meanwhile(about_user, by_user, user_id)
        self.stdout.write(f"Erased what {number:,} changes held of user {user_id}.")

    def erase_what_came_meanwhile(self, about_user: Q, by_user: Q, user_id: int) -> int:
        """Erase what transactions have written that were open before, and return how many changes.

        It waits for those that have changed the user, since they hold a lock of the user's row.
        """
        left = about_user & ~Q(login_id="") | by_user & ~Q(by_name="")
        users = get_user_model()._base_manager.using(self.using).select_for_update()
        number = 0
        try:
            with transaction.atomic(using=self.using):
                users.filter(pk=user_id).values("pk").first()
                while batch := self.erase_batch(left, user_id, after=0):
                    number += len(batch)
        except OperationalError as error:
            raise CommandError(
                f"User {user_id} is being changed by a transaction that has not ended. What was "
                f"erased stays erased; run it again for the rest. ({error})"
            ) from error
        return number

    def erase_batch(self, of_user: Q, user_id: int, after: int) -> list[int]:
        """Erase the changes that come next, and return their ids."""
        with transaction.atomic(using=self.using):
            found = self.changes.filter(of_user, pk__gt=after).order_by("pk")
            changes = list(found.select_for_update()[:_ERASED_AT_ONCE])
            for change in changes:
                if change.user_id == user_id:
                    change.login_id = ""
                    change.before = _without_values(change.before)
                    change.after = _without_values(change.after)
                if (change.by_type, change.by_id) == (Change.ByType.USER, user_id):
                    change.by_name = ""
            self.changes.bulk_update(changes, ["login_id", "before", "after", "by_name"])
        return [change.pk for change in changes]


def _without_values(values: dict[str, Any]) -> dict[str, Any]:
    # The keys of attributes go too: of those that nobody defined, they can say anything.
    return {name: {} if isinstance(value, dict) else None for name, value in values.items()}
