"""The page that exports the users whom the list shows."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.admin.attribute_fields import request_definitions
from users.spreadsheets import exports
from users.spreadsheets.columns import columns_of
from users.spreadsheets.writing import FORMATS


class ExportForm(forms.Form):
    """Asks for the kind of file, and for its columns."""

    format = forms.ChoiceField(
        label=_("File"),
        choices=[("xlsx", _("Excel workbook (.xlsx)")), ("csv", "CSV")],
        initial="xlsx",
        widget=forms.RadioSelect,
    )
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The last six are for reading only: an import ignores them."),
    )

    def __init__(self, definitions: Any, data: Any = None) -> None:
        super().__init__(data)
        columns = columns_of(definitions)
        field: Any = self.fields["columns"]
        field.choices = [(column.name, column.name) for column in columns]
        field.initial = [column.name for column in columns if column.is_set]


class UserExport(admin.ModelAdmin):
    """Adds the page of exports, for those who have the permission of its own."""

    def has_export_permission(self, request: HttpRequest) -> bool:
        codename = get_permission_codename("export", self.opts)
        may_export = request.user.has_perm(f"{self.opts.app_label}.{codename}")
        return may_export and self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"has_export_permission": self.has_export_permission(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            users = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            messages.error(request, gettext("The list has no such filter."))
            list_name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
            return HttpResponseRedirect(reverse(list_name, current_app=self.admin_site.name))
        data = request.POST if request.method == "POST" else None
        form = ExportForm(request_definitions(request), data)
        if form.is_valid():
            return self._file(request, users, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Export users"),
            "count": users.count(),
            "form": form,
            "query": request.GET.urlencode(),
        }
        return TemplateResponse(request, "admin/users/export.html", context)

    def _file(self, request: HttpRequest, users: Any, asked: Any) -> StreamingHttpResponse:
        content_type, _write = FORMATS[asked["format"]]
        content = exports.export(
            get_user_model()._default_manager.filter(pk__in=users.order_by().values("pk")),
            exports.chosen_columns(asked["columns"]),
            asked["format"],
            by=request.user.get_username(),
            filters=request.GET.urlencode(),
        )
        name = f"users.{asked['format']}"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        return StreamingHttpResponse(content, content_type=content_type, headers=headers)
