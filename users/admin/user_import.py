"""The pages that import users: upload, preview, confirm."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, router, transaction
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from users import acting, invitations
from users.admin.access import may_change_credentials, superuser_error
from users.admin.attribute_fields import request_definitions
from users.admin.import_preview import Confirmation, planned_rows, refuse_changed, shown_row
from users.admin.locks import LockingAdmin
from users.models import Change, Team
from users.spreadsheets import reading
from users.spreadsheets.columns import columns_of
from users.spreadsheets.imports import Importer
from users.spreadsheets.limits import UnreadableFileError
from users.spreadsheets.plans import Layout, Plan
from users.spreadsheets.reading import Row
from users.spreadsheets.writing import FORMATS

MAX_ROWS = 5_000
MAX_FILE_SIZE = 10 * 2**20
_MAX_UNPACKED_SIZE = 64 * 2**20
_ATTEMPTS = 3  # where somebody else takes a name at the same moment


def _read(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of a file, without its first.

    Raises `UnreadableFileError` if they are too many for the page, or hold too much text: each cell
    of a workbook may name the same long one.
    """
    found: list[Row] = []
    length = 0
    for row in rows:
        found.append(row)
        length += sum(map(len, row[1]))
        if len(found) > MAX_ROWS:
            error = gettext("The file has more than %d rows: use manage.py import_users.")
            raise UnreadableFileError(error % MAX_ROWS)
        if length > MAX_FILE_SIZE:
            raise UnreadableFileError(_too_much_text())
    return found


def _too_much_text() -> str:
    return gettext("The file has too much text for this page: use manage.py import_users.")


class UploadForm(forms.Form):
    """Asks for a file. can_invite, can_add_to_team: if these are offered."""

    file = forms.FileField(label=_("File"), help_text=_("CSV, or Excel workbook (.xlsx)."))
    encoding = forms.ChoiceField(
        label=_("Encoding of a CSV file"),
        required=False,
        choices=[("", _("UTF-8, or as the file says")), *((e, e) for e in reading.ENCODINGS)],
    )
    team = forms.ModelChoiceField(
        Team.objects.all(),
        label=_("Team"),
        required=False,
        help_text=_("Joined by users whose row names no team."),
    )
    invite = forms.BooleanField(
        label=_("Send new users an invitation"),
        required=False,
        help_text=_("A mail with a link to set the password."),
    )

    def __init__(self, *args: Any, can_invite: bool, can_add_to_team: bool) -> None:
        super().__init__(*args)
        if not can_invite:
            del self.fields["invite"]
        if not can_add_to_team:
            del self.fields["team"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_SIZE:
            limit = MAX_FILE_SIZE // 2**20
            error = gettext("The file has more than %d MB: use manage.py import_users.") % limit
            raise forms.ValidationError(error)
        return file


class UserImport(LockingAdmin):
    """Adds the pages of imports, for those who have the permission of its own.

    An import does nothing that its operator could not do on the pages of the users.
    """

    def has_import_permission(self, request: HttpRequest) -> bool:
        codename = get_permission_codename("import", self.opts)
        may_import = request.user.has_perm(f"{self.opts.app_label}.{codename}")
        return may_import and self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_import"
        view = self.admin_site.admin_view(self.import_view)
        template_view = self.admin_site.admin_view(self.import_template_view)
        return [
            path("import/", view, name=name),
            path("import/template.<str:format>", template_view, name=f"{name}_template"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"has_import_permission": self.has_import_permission(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def import_template_view(self, request: HttpRequest, format: str) -> HttpResponseBase:  # noqa: A002 (the URL names it)
        """Return an empty file with the columns that can be imported."""
        if not self.has_import_permission(request) or format not in FORMATS:
            raise PermissionDenied
        content_type, write = FORMATS[format]
        names = [
            column.name for column in columns_of(request_definitions(request)) if column.is_set
        ]
        headers = {"Content-Disposition": f'attachment; filename="users_template.{format}"'}
        content = write(names[1:], ())  # all but the id, which new users have not
        return StreamingHttpResponse(content, content_type=content_type, headers=headers)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        if "confirmation" in request.POST:
            return self._confirm(request)
        files = (request.POST, request.FILES) if request.method == "POST" else ()
        form = UploadForm(
            *files,
            can_invite=invitations.error() is None,
            can_add_to_team=request.user.has_perm("users.add_membership"),
        )
        if form.is_valid():
            try:
                return self._preview(request, form.cleaned_data)
            except UnreadableFileError as error:
                form.add_error("file", str(error))
        columns = [column for column in columns_of(request_definitions(request)) if column.is_set]
        context = {"form": form, "columns": columns, "max_rows": MAX_ROWS, "formats": FORMATS}
        return self._page(request, "admin/users/import.html", gettext("Import users"), context)

    # The preview.

    def _preview(self, request: HttpRequest, asked: Mapping[str, Any]) -> HttpResponse:
        """Return the page that says what the file would do.

        Raises `UnreadableFileError`.
        """
        rows = reading.rows(asked["file"], encoding=asked["encoding"], max_size=_MAX_UNPACKED_SIZE)
        _, header = next(rows, (0, []))
        layout = Layout(header, request_definitions(request))
        found = _read(rows)
        team, invites = asked.get("team"), bool(asked.get("invite"))
        importer = self._importer(request, layout, team, invites=invites)
        plans = importer.plans(found)
        importer.plan(plans)
        confirmation = Confirmation(
            request.user.pk,
            layout.header,
            planned_rows(importer, plans),
            team.pk if team else None,
            invites,
            needs_all=not any(plan.errors for plan in plans),
        )
        signed = confirmation.signed()
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if limit is not None and len(signed) > limit - 4096:
            raise UnreadableFileError(_too_much_text())
        context = {**self._shown(plans), "left": layout.left, "confirmation": signed}
        return self._page(
            request, "admin/users/import_preview.html", gettext("Preview of the import"), context
        )

    def _importer(
        self, request: HttpRequest, layout: Layout, team: Team | None, *, invites: bool
    ) -> Importer:
        return Importer(
            layout,
            router.db_for_write(get_user_model()),
            team=team,
            refusal=lambda plan: self._refusal(request, plan),
            invites=invites,
        )

    def _refusal(self, request: Any, plan: Plan) -> dict[str, str]:
        """Return why the operator could not do what the plan says on the pages of the users."""
        actor, user = request.user, plan.user
        found = {}
        teams = {team.pk for team in plan.roles}
        stored = set() if plan.is_new or not teams else self._teams_of(user)
        if plan.is_new and not self.has_add_permission(request):
            found["login_id"] = gettext("You may not add users.")
        if plan.changes and not self.has_change_permission(request, user):
            found["login_id"] = gettext("You may not change users.")
        if not plan.is_new and user.is_superuser and not actor.is_superuser:
            found["login_id"] = superuser_error(user)
        if "login_using_email" in plan.changes and not may_change_credentials(actor, user):
            found["login_using_email"] = gettext(
                "Only superusers can change how another administrator logs in."
            )
        if plan.changes.get("status") == user.Status.INACTIVE and user.pk == actor.pk:
            found["status"] = gettext("You cannot take away your own access.")
        if teams - stored and not actor.has_perm("users.add_membership"):
            found["teams"] = gettext("You may not add users to teams.")
        if teams & stored and not actor.has_perm("users.change_membership"):
            found["roles"] = gettext("You may not change roles.")
        return found

    @staticmethod
    def _teams_of(user: Any) -> set[Any]:
        return {each.team_id for each in user.memberships.all()}

    def _shown(self, plans: list[Plan]) -> dict[str, Any]:
        done = [plan for plan in plans if plan.does_something]
        refused = [plan for plan in plans if plan.errors]
        return {
            "rows": [shown_row(plan) for plan in plans if plan.errors or plan.does_something],
            "new": sum(plan.is_new for plan in done),
            "changed": sum(not plan.is_new for plan in done),
            "unchanged": len(plans) - len(done) - len(refused),
            "refused": len(refused),
            "done": len(done),
        }

    def _page(
        self, request: HttpRequest, template: str, title: str, context: Mapping[str, Any]
    ) -> HttpResponse:
        site = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, template, {**site, **context})

    # The confirmation.

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        confirmation = Confirmation.read(request.POST["confirmation"], request.user.pk)
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        if confirmation is None:
            messages.error(
                request, gettext("The preview is more than an hour old: upload the file again.")
            )
            return HttpResponseRedirect(reverse(f"{name}_import"))
        try:
            plans = self._import(request, confirmation)
        except UnreadableFileError as error:
            messages.error(request, f"{gettext('Nothing was imported.')} {error}")
            return HttpResponseRedirect(reverse(f"{name}_import"))
        refused = [plan for plan in plans if plan.errors]
        if refused and confirmation.needs_all:
            title = gettext("Nothing was imported")
            context = {**self._shown(refused), "is_refused": True}
            return self._page(request, "admin/users/import_preview.html", title, context)
        done = len(plans) - len(refused)
        messages.success(request, ngettext("Imported %d user.", "Imported %d users.", done) % done)
        if refused:
            title = gettext("Rows that were left out")
            context = {**self._shown(refused), "is_refused": True}
            return self._page(request, "admin/users/import_preview.html", title, context)
        return HttpResponseRedirect(reverse(f"{name}_changelist"))

    def _import(self, request: HttpRequest, confirmation: Confirmation) -> list[Plan]:
        """Save what was shown, if it still holds, and return what became of each row."""
        for _attempt in range(_ATTEMPTS - 1):
            try:
                return self._import_once(request, confirmation)
            except IntegrityError:
                continue
        return self._import_once(request, confirmation)

    def _import_once(self, request: Any, confirmation: Confirmation) -> list[Plan]:
        by, trxid = request.user, acting.current().trxid
        using = router.db_for_write(get_user_model())
        with transaction.atomic(using=using), acting.acting(Change.Door.IMPORT, by, trxid):
            layout = Layout(confirmation.header, request_definitions(request))
            team = None
            if confirmation.team is not None:
                team = Team.objects.filter(pk=confirmation.team).first()
                if team is None:
                    raise UnreadableFileError(gettext("The team is no longer there."))
            importer = self._importer(request, layout, team, invites=confirmation.invites)
            plans = importer.plans(confirmation.file_rows)
            locked = self.lock_users(request, importer.user_ids(plans))
            # Check again: permissions may have changed during the wait for the lock.
            if not self.has_import_permission(request):
                raise PermissionDenied
            importer.plan(plans, {user.pk for user in locked}, set(request.locked_superusers))
            refuse_changed(importer, plans, confirmation)
            if not (confirmation.needs_all and any(plan.errors for plan in plans)):
                importer.save(plans)
        return plans
