"""The pages of the history: that of one user, and the list of all changes."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import router
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from users import feed
from users.admin.change_rows import Row, change_rows
from users.admin.keys import KeyedAdmin
from users.db.keys import row_id
from users.models import Change
from users.names import fold

PAGE_SIZE = 50


class DayField(forms.DateField):
    """A day that every database and time zone can count with."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    default_validators = [
        MinValueValidator(date(1970, 1, 2)),
        MaxValueValidator(date(2999, 12, 31)),
    ]


class ChangeFilterForm(forms.Form):
    """Which changes of a user are shown."""

    door = forms.ChoiceField(
        label=_("Made through"), required=False, choices=[("", _("All")), *Change.Door.choices]
    )
    by = forms.CharField(
        label=_("Changed by"),
        required=False,
        max_length=150,
        strip=False,
        widget=forms.TextInput(attrs={"placeholder": _("Login id or token")}),
    )
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("To"), required=False)

    def clean_until(self) -> date | None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data["until"]
        if since and until and until < since:
            raise ValidationError(_("Must not be before “From”."))
        return until

    def filtered(self, changes: QuerySet[Change]) -> QuerySet[Change]:
        """Return those of `changes` that are asked for; none, if what is asked for is invalid."""
        if not self.is_valid():
            return changes.none()
        asked = self.cleaned_data
        if asked["door"]:
            changes = changes.filter(door=asked["door"])
        if asked["by"]:
            changes = changes.filter(by_name=asked["by"])
        if asked["since"]:
            changes = changes.filter(at__gte=start_of_day(asked["since"]))
        if asked["until"]:
            changes = changes.filter(at__lt=start_of_day(asked["until"] + timedelta(days=1)))
        return changes


class AllChangesFilterForm(ChangeFilterForm):
    """Which changes of all users are shown."""

    login_id = forms.CharField(label=_("Login id"), required=False, max_length=150, strip=False)

    field_order = ("login_id", "door", "by", "since", "until")

    def filtered(self, changes: QuerySet[Change]) -> QuerySet[Change]:
        changes = super().filtered(changes)
        if not self.is_valid() or not self.cleaned_data["login_id"]:
            return changes
        # Of who has the login id, and of who had it once, under whatever name since.
        name = self.cleaned_data["login_id"]
        users = get_user_model()._default_manager.filter(login_key=fold(name))
        before = Change.objects.filter(login_id=name).order_by().values_list("user_id").distinct()
        ids = {*users.values_list("pk", flat=True), *(pk for (pk,) in before[:100])}
        # By id, as on a user's own page.
        return changes.filter(user_id__in=ids).order_by("-id")


def start_of_day(day: date) -> datetime:
    start = datetime.combine(day, time.min)
    return timezone.make_aware(start) if settings.USE_TZ else start


def page_context(
    request: HttpRequest, site: Any, form: ChangeFilterForm, changes: QuerySet[Change]
) -> dict[str, Any]:
    """Return what `changes_page.html` shows of `changes`: a page of them, the newest first.

    Pages follow one another by the last change shown, without a count: the millionth is as quick as
    the first.
    """
    changes = form.filtered(changes)
    last = None
    if "before" in request.GET:
        last = Change.objects.filter(pk=row_id(request.GET["before"])).first()
        changes = _older_than(last, changes) if last else changes
    found = list(changes[: PAGE_SIZE + 1])
    shown = feed.fitting(found[:PAGE_SIZE])
    query = request.GET.copy()
    query.pop("before", None)
    newest = query.urlencode()
    has_more = len(shown) < len(found)
    if has_more:
        query["before"] = str(shown[-1].pk)
    return {
        "rows": change_rows(request, site, shown),
        "filter_form": form,
        "newest_url": f"?{newest}" if last else "",
        "older_url": f"?{query.urlencode()}" if has_more else "",
        "is_filtered": any(request.GET.get(name) for name in form.fields),
    }


def _older_than(last: Change, changes: QuerySet[Change]) -> QuerySet[Change]:
    if changes.query.order_by == ("-at", "-id"):
        return changes.filter(Q(at__lt=last.at) | Q(pk__lt=last.pk), at__lte=last.at)
    return changes.filter(pk__lt=last.pk)


class ChangeAdmin(KeyedAdmin):
    """All changes of users: to be looked at, and changed by nobody."""

    change_form_template = "admin/users/change_page.html"
    fields = ("at", "user", "action", "values", "door", "by", "trxid")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        # By time, which has an index for the period too.
        changes = Change.objects.order_by("-at", "-id")
        form = AllChangesFilterForm(request.GET)
        context = {
            **self.admin_site.each_context(request),
            **page_context(request, self.admin_site, form, changes),
            "opts": self.opts,
            "title": _("Changes of users"),
            "shows_user": True,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/users/changes_page.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        [row] = change_rows(request, self.admin_site, [context["original"]])
        context["original"].row = row
        return super().render_change_form(request, context, *args, **options)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        raise PermissionDenied  # a change has no history of its own

    @admin.display(description=_("user"))
    def user(self, change: Any) -> str:
        return _linked(change.row.user_url, change.login_id)

    @admin.display(description=_("changed by"))
    def by(self, change: Any) -> str:
        name = f"{change.by_name} ({change.get_by_type_display()})" if change.by_type else "—"
        return _linked(change.row.by_url, name)

    @admin.display(description=_("what changed"))
    def values(self, change: Any) -> str:
        row: Row = change.row
        return render_to_string("admin/users/change_values.html", {"row": row})


def _linked(url: str, text: str) -> str:
    return format_html('<a href="{}">{}</a>', url, text) if url else text


def user_history_context(request: HttpRequest, site: Any, user: Any) -> dict[str, Any]:
    """Return what the history page of `user` shows."""
    changes = feed.of_user(user.pk, router.db_for_read(Change))
    return page_context(request, site, ChangeFilterForm(request.GET), changes)
