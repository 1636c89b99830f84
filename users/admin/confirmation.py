"""The confirmation page of actions."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def confirm(
    model_admin: ModelAdmin,
    request: HttpRequest,
    queryset: QuerySet[Any],
    action: str,
    question: str,
    form: forms.Form | None = None,
    *,
    names: Iterable[object] = (),
) -> HttpResponse | None:
    """Return the confirmation page, or None once it is confirmed and `form` is valid.

    names: listed on the page.

    If all objects on all pages are selected, the form does not repeat their keys: they could be
    more fields than Django accepts (`DATA_UPLOAD_MAX_NUMBER_FIELDS`).
    """
    if "confirmed" in request.POST and (form is None or form.is_valid()):
        return None
    across = request.POST.get("select_across") == "1"
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": question,
        "action": action,
        "names": names,
        "form": form,
        "media": model_admin.media + form.media if form else model_admin.media,
        "selected_name": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": across,
    }
    return TemplateResponse(request, "admin/users/confirm_action.html", context)
