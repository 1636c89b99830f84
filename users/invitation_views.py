"""The pages of invitations: to set the first password, and to ask for another link."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import router, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_deny
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView

from users import invitations
from users.acting import acting
from users.db.keys import row_id

# `csrf_protect` reads the body, before a transaction begins.
_PAGE = [login_not_required, csrf_protect, never_cache, xframe_options_deny]


class Page:
    """What the pages have in common: a title, and headers that keep them out of search engines."""

    title: Any = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: Any = super()
        return {"title": self.title, **context.get_context_data(**kwargs)}

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        view: Any = super()
        response: HttpResponse = view.render_to_response(context, **options)
        response["X-Robots-Tag"] = "noindex"
        # Not `no-referrer`: browsers would send forms without the origin that CSRF checks need.
        response["Referrer-Policy"] = "same-origin"
        return response


class PasswordForm(SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].widget.attrs["autofocus"] = True


class InvitedUserView(Page, PasswordResetConfirmView):
    """What the two steps of Django's own view, below, have in common."""

    form_class = PasswordForm
    success_url = reverse_lazy("invitations:done")
    template_name = "users/invitations/set_password.html"
    title = _("Set your password")
    token_generator = invitations.token_generator

    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.method != "POST":
            return super().dispatch(*args, **kwargs)
        # The user is locked, and checked after that: of two simultaneous requests, one is refused.
        with transaction.atomic(using=router.db_for_write(get_user_model())):
            return super().dispatch(*args, **kwargs)

    def get_user(self, uidb64: str) -> Any:
        try:
            user_id = row_id(urlsafe_base64_decode(uidb64).decode())
        except ValueError:
            return None
        users = invitations.invited().filter(pk=user_id)
        return (users.select_for_update() if self.request.method == "POST" else users).first()

    def form_valid(self, form: Any) -> HttpResponse:
        with acting("code", by=self.user):
            return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if not self.validlink:
            context["title"] = _("This link does not work")
        return context


@method_decorator([login_not_required, csrf_exempt, never_cache, xframe_options_deny], "dispatch")
class LinkView(InvitedUserView):
    """Moves the token of a link to the session, and leads to the form.

    So neither the browser's history nor a Referer header shows the token. Nor does Django's log: a
    link that does not work is answered 200, and a POST is not checked for a CSRF token, for it
    changes nothing here, and the log would name its address.
    """


@method_decorator([sensitive_post_parameters(), *_PAGE], name="dispatch")
class SetPasswordView(InvitedUserView):
    """Sets the first password of an invited user whose token is in the session."""


@method_decorator(_PAGE, name="dispatch")
class DoneView(Page, TemplateView):
    template_name = "users/invitations/done.html"
    title = _("Your password is set")


class AskForm(forms.Form):
    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


@method_decorator(_PAGE, name="dispatch")
class AskView(Page, FormView):
    """Sends another link. The answer is the same for all emails."""

    form_class = AskForm
    success_url = reverse_lazy("invitations:asked")
    template_name = "users/invitations/ask.html"
    title = _("Ask for a new link")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if invitations.error():
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: AskForm) -> HttpResponse:
        invitations.ask_again(form.cleaned_data["email"])
        return super().form_valid(form)


@method_decorator(_PAGE, name="dispatch")
class AskedView(Page, TemplateView):
    template_name = "users/invitations/asked.html"
    title = _("Check your email")
