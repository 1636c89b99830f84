"""What a page says that goes with a deletion."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.admin.utils import NestedObjects, quote
from django.db import router
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from users.models import Membership, Session

MAX_LISTED = 20  # rows of these models, of which there can be tens of thousands
_COUNTED: tuple[Any, ...] = (Membership, Session)


class _Deletion(NestedObjects):
    """Collects what is to be deleted, as Django's pages do, but only counts many memberships.

    hidden: models whose rows are left out.
    """

    def __init__(self, hidden: Collection[Any], **options: Any) -> None:
        super().__init__(**options)
        self.hidden = hidden
        self.counted: list[QuerySet[Any]] = []

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().related_objects(related_model, related_fields, objs)
        if related_model in self.hidden:
            return rows.none()
        if related_model in _COUNTED and rows[MAX_LISTED : MAX_LISTED + 1]:
            self.counted.append(rows)
            return rows.none()
        return rows


def deleted_objects(
    objs: Any, request: HttpRequest, site: Any, hidden: Collection[Any] = ()
) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
    """Return what `ModelAdmin.get_deleted_objects` does, but count memberships where many go.

    hidden: models whose rows are left out, since their names tell an operator nothing.
    """
    if not objs:
        return [], {}, set(), []
    collector = _Deletion(hidden, using=router.db_for_write(objs[0]._meta.model), origin=objs)
    collector.collect(objs)
    refused: set[Any] = set()

    def shown(row: Model) -> str:
        opts = row._meta
        name = capfirst(opts.verbose_name)
        if not site.is_registered(type(row)):
            return f"{name}: {row}"
        if not site.get_model_admin(type(row)).has_delete_permission(request, row):
            refused.add(opts.verbose_name)
        try:
            view = f"{site.name}:{opts.app_label}_{opts.model_name}_change"
            url = reverse(view, args=[quote(row.pk)])
        except NoReverseMatch:
            return f"{name}: {row}"
        return format_html('{}: <a href="{}">{}</a>', name, url, row)

    to_delete = collector.nested(shown)
    counts = Counter[str]()
    for model, rows in collector.model_objs.items():
        counts[model._meta.verbose_name_plural] += len(rows)
    for counted in collector.counted:
        counts[counted.model._meta.verbose_name_plural] += counted.count()
        if not _may_delete(request, site, counted):
            refused.add(counted.model._meta.verbose_name)
    return to_delete, dict(counts), refused, list(map(shown, collector.protected))


def _may_delete(request: HttpRequest, site: Any, rows: QuerySet[Any]) -> bool:
    """Return True if the viewer may delete `rows`, without asking for each."""
    if not site.is_registered(rows.model):
        return True
    admin = site.get_model_admin(rows.model)
    # Rows are refused one by one only where they are those of superusers.
    others: Iterable[Any] = rows.filter(user__is_superuser=True)
    return admin.has_delete_permission(request) and all(
        admin.has_delete_permission(request, row) for row in others
    )
