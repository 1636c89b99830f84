"""What bulk actions share: they change all selected users, or none."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext

from users import changes
from users.admin.access import access_removal_error, superuser_error
from users.admin.locks import LockingAdmin
from users.attributes.rules import flat, rules_by_field
from users.models import AttributeDefinition

User: Any = get_user_model()

#: Changes locked users, given the ids of the locked superusers; returns how many changed. They may
#: be all users that there are: it must not take several statements for each.
Change: TypeAlias = Callable[[Sequence[Any], Collection[Any]], int]


class BulkChanges(LockingAdmin):
    def _apply(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        change: Change,
        *,
        removes_access: bool = False,
        is_allowed: Callable[[HttpRequest], bool] | None = None,
    ) -> HttpResponse | None:
        """Lock the users of `queryset` and apply `change` to them, if `is_allowed` at all.

        If one of them must not or cannot be changed, none is.
        """
        try:
            with transaction.atomic(using=router.db_for_write(User)):
                users = self.lock_users(request, self.user_ids_of(queryset))
                superusers = request.locked_superusers  # type: ignore[attr-defined]
                # Check again: permissions may have changed during the wait for the lock.
                if not (is_allowed or self.has_change_permission)(request):
                    raise PermissionDenied
                for user in users:
                    if not self.has_change_permission(request, user):
                        raise ValidationError(superuser_error(user))
                if removes_access and (
                    error := access_removal_error(request.user, users, superusers)
                ):
                    raise ValidationError(error)
                changed = change(users, superusers)
        except ValidationError as error:
            messages.error(request, " ".join([*error.messages, gettext("Nothing was changed.")]))
            return None
        done = ngettext("Changed %d user.", "Changed %d users.", changed) % changed
        if unchanged := len(users) - changed:
            done += " " + unchanged_text(unchanged)
        messages.success(request, done)
        return None


def effect(queryset: QuerySet[Any], stays: Any) -> str:
    """Return how many users of `queryset` an action will change: all but those who meet `stays`."""
    count, unchanged = queryset.count(), queryset.filter(stays).count()
    changed = count - unchanged
    text = ngettext("%d user will change.", "%d users will change.", changed) % changed
    return f"{text} {unchanged_text(unchanged)}" if unchanged else text


def unchanged_text(count: int) -> str:
    return ngettext("%d unchanged.", "%d unchanged.", count) % count


def change_to(wanted: Mapping[str, Any], definitions: Iterable[AttributeDefinition] = ()) -> Change:
    """Return the `Change` to the values `wanted`; `definitions` are those of its attributes."""
    rules = rules_by_field(definitions)

    def found(user: Any, superusers: Collection[Any]) -> dict[str, Any]:
        try:
            return changes.validate(user, wanted, rules, superusers=superusers)
        except changes.InvalidChangeError as error:
            messages = (message for errors in error.errors.values() for message in flat(errors))
            raise ValidationError([f"{user}: {message}" for message in messages]) from error

    def change(users: Sequence[Any], superusers: Collection[Any]) -> int:
        all_found = ((user, found(user, superusers)) for user in users)
        changed = [(user, new) for user, new in all_found if new]
        changes.save_many(changed, router.db_for_write(User))
        return len(changed)

    return change
