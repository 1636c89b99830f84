"""The confirmation page of actions."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

#: The fields of the page itself, not of its form.
_OWN_FIELDS = {
    "action",
    "confirmed",
    "csrfmiddlewaretoken",
    "index",
    "preview",
    "select_across",
    ACTION_CHECKBOX_NAME,
}


def confirm(
    model_admin: ModelAdmin,
    request: HttpRequest,
    queryset: QuerySet[Any],
    action: str,
    question: str,
    form: forms.Form | None = None,
    *,
    names: Iterable[object] = (),
    effect: Callable[[], str] | None = None,
) -> HttpResponse | None:
    """Return the confirmation page, or None once it is confirmed and `form` is valid.

    names: listed on the page.
    effect: returns what the action will do, once `form` is valid. The page says so before it is
        confirmed: with a form, that is a second page.

    If all objects on all pages are selected, the form does not repeat their keys: they could be
    more fields than Django accepts (`DATA_UPLOAD_MAX_NUMBER_FIELDS`).
    """
    is_answered = form is None or ("confirmed" in request.POST and form.is_valid())
    if is_answered and "confirmed" in request.POST and "preview" not in request.POST:
        return None
    shown_effect = effect() if effect and is_answered else ""
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
        "effect": shown_effect,
        "has_preview": bool(effect) and not is_answered,
        "answers": [
            (name, value)
            for name, values in request.POST.lists()
            if form and shown_effect and name not in _OWN_FIELDS
            for value in values
        ],
    }
    return TemplateResponse(request, "admin/users/confirm_action.html", context)
