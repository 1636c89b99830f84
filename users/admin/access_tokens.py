"""The pages of access tokens: list, form, and the actions to revoke and rotate."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from users.admin.access_token_forms import AccessTokenCreationForm, AccessTokenForm, RotationForm
from users.admin.confirmation import confirm
from users.admin.keys import KeyedAdmin
from users.models import AccessToken


class AccessTokenAdmin(KeyedAdmin):
    """Creates, revokes and rotates access tokens.

    The secret is shown once, in the response to the form. A message or a session would store it in
    a cookie or in the database.
    """

    list_display = (
        "name",
        "hint",
        "granted",
        "read_only",
        "rate_limit",
        "scim_team",
        "state",
        "created_at",
        "expires_at",
        "last_used_at",
    )
    list_filter = ("teams", "read_only")
    list_select_related = ("scim_team",)
    search_fields = ("name",)
    filter_horizontal = ("teams",)
    readonly_fields = ("hint", "state", "created_at", "expires_at", "revoked_at", "last_used_at")
    actions = ("revoke", "rotate")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessToken]:
        return super().get_queryset(request).prefetch_related("teams")

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = AccessTokenCreationForm if obj is None else AccessTokenForm
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        edited = ("name", "teams", "read_only", "rate_limit", "scim_team")
        return (*edited, *self.readonly_fields) if obj else (*edited, "days")

    @admin.display(description=_("teams"))
    def granted(self, token: AccessToken) -> str:
        return ", ".join(str(team) for team in token.teams.all())

    @admin.display(description=_("state"))
    def state(self, token: AccessToken) -> str:
        if token.is_revoked:
            return gettext("revoked")
        return gettext("expired") if token.is_expired else gettext("valid")

    @sensitive_variables("secret")
    def save_model(self, request: HttpRequest, obj: AccessToken, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        days = form.cleaned_data["days"]
        token, secret = AccessToken.objects.issue(
            obj.name,
            form.cleaned_data["teams"],
            timezone.now() + timedelta(days=days) if days else None,
            read_only=obj.read_only,
            rate_limit=obj.rate_limit,
            scim_team=obj.scim_team,
        )
        # Used by the rest of Django's view.
        obj.pk, obj.hint, obj._state.adding = token.pk, token.hint, False
        request.issued_token = token, secret  # type: ignore[attr-defined]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.grant_scim_team()

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show(request, *request.issued_token)  # type: ignore[attr-defined]

    @sensitive_variables("secret")
    def _show(self, request: HttpRequest, token: AccessToken, secret: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("The access token “%s”") % token,
            "token": token,
            "secret": secret,
        }
        response = TemplateResponse(request, "admin/users/access_token_issued.html", context)
        response["Cache-Control"] = "no-store"
        return response.render()

    @admin.action(description=_("Revoke the selected access tokens"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> HttpResponse | None:
        tokens = [token for token in queryset if not token.is_revoked]
        revoked = ", ".join(str(token) for token in queryset if token.is_revoked)
        if not tokens:
            messages.warning(request, gettext("Revoked already: %s.") % revoked)
            return None
        question = ngettext(
            "Revoke %d access token? Systems that use it lose access. This cannot be undone.",
            "Revoke %d access tokens? Systems that use them lose access. This cannot be undone.",
            len(tokens),
        ) % len(tokens)
        if page := confirm(self, request, queryset, "revoke", question, names=tokens):
            return page
        with transaction.atomic():  # all or none
            for token in tokens:
                token.revoke()
                self.log_change(request, token, "Revoked.")
        done = ngettext(
            "Revoked %(count)d access token: %(names)s.",
            "Revoked %(count)d access tokens: %(names)s.",
            len(tokens),
        )
        names = ", ".join(map(str, tokens))
        messages.success(request, done % {"count": len(tokens), "names": names})
        if revoked:
            messages.warning(request, gettext("Revoked already: %s.") % revoked)
        return None

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        # Both are required; with `permissions`, any of them would be enough.
        return self.has_change_permission(request) and self.has_add_permission(request)

    @admin.action(description=_("Rotate the selected access token"), permissions=["rotate"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> HttpResponse | None:
        tokens = list(queryset)
        if len(tokens) != 1 or tokens[0].is_revoked:
            messages.error(request, gettext("Select one access token that is not revoked."))
            return None
        question = gettext(
            "Rotate “%s”? This creates a token with the same name, rights and lifetime."
        )
        question %= tokens[0]
        form = RotationForm(request.POST if "confirmed" in request.POST else None)
        if page := confirm(self, request, queryset, "rotate", question, form):
            return page
        try:
            token, secret = tokens[0].rotate(timedelta(hours=form.cleaned_data["hours"]))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return None
        self.log_change(request, tokens[0], "Rotated.")
        self.log_addition(request, token, "Created by rotation.")
        return self._show(request, token, secret)
