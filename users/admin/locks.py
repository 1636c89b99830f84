"""Locks the users that a page changes, before it checks who may change what."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from users.db.keys import in_parts

User: Any = get_user_model()


class LockingAdmin(admin.ModelAdmin):
    """An admin page that changes users, or what belongs to them."""

    # The page that asks lists each, and so do the statements, whose parameters have a limit.
    MAX_DELETED = 10_000

    def user_ids_of(self, rows: QuerySet[Any]) -> Iterable[Any]:
        """Return the ids of the users who are changed with `rows` of this page's model."""
        raise NotImplementedError

    def lock_users(self, request: Any, user_ids: Iterable[Any]) -> list[Any]:
        """Lock the users `user_ids` for a change, and return them; call it in a transaction.

        `request.user` is read again, because their rights may have changed during the wait.
        `request.locked_superusers` becomes the ids of the superusers who may enter.

        Raises `PermissionDenied` if the actor may not enter the admin site any more.
        """
        ids = set(user_ids)
        # The superusers, then all others with the actor, to whom Django's log refers: in this
        # order on every page, so no two requests wait for each other.
        request.locked_superusers = User.objects.lock_superusers()
        actor_id = request.user.pk
        # By a plain query: a project's `get_queryset` may have what no database locks.
        rows = User._base_manager.using(router.db_for_write(User)).select_for_update()
        locked: dict[Any, Any] = {}
        for part in in_parts(sorted({*ids, actor_id})):
            found = rows.filter(pk__in=part).order_by("pk")
            locked |= {user.pk: user for user in found}
        request.user = locked.get(actor_id) or AnonymousUser()
        if not self.admin_site.has_permission(request):
            raise PermissionDenied
        return [user for pk, user in locked.items() if pk in ids]

    @admin.action(permissions=["delete"], description=delete_selected.short_description)
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Like Django's action, but check, log and delete in one transaction."""
        if (count := queryset.count()) > self.MAX_DELETED:
            text = gettext("At most %(limit)d can be deleted at once, and %(count)d are selected.")
            messages.error(request, text % {"limit": self.MAX_DELETED, "count": count})
            return None
        if not request.POST.get("post"):
            return delete_selected(self, request, queryset)
        try:
            with transaction.atomic(using=router.db_for_write(self.model)):
                keys = list(queryset.order_by().values_list("pk", flat=True))
                selected = self.model._base_manager.filter(pk__in=keys)
                self.lock_users(request, self.user_ids_of(selected))
                return delete_selected(self, request, queryset.filter(pk__in=keys))
        except PermissionDenied as error:
            if not error.args:
                raise
            messages.error(request, str(error))
            return None

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method != "POST" or "_save" not in request.POST:
            return super().changelist_view(request, extra_context)
        with transaction.atomic(using=router.db_for_write(self.model)):
            django: Any = self
            keys = django._get_edited_object_pks(request, "form")
            edited = self.model._base_manager.filter(pk__in=keys)
            self.lock_users(request, self.user_ids_of(edited))
            if edited.count() < len(keys):
                # Django's own error stands at the hidden key of a row that is shown no more.
                text = gettext("A row was deleted since you opened the list. Nothing was saved.")
                messages.error(request, text)
                return HttpResponseRedirect(request.get_full_path())
            return super().changelist_view(request, extra_context)
