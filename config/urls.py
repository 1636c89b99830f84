"""The project's URLs: the API, the admin site, health checks, the OpenAPI page."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from django.views.i18n import set_language

from users.forms import LoginForm

admin.site.login_form = LoginForm
admin.site.site_header = admin.site.site_title = "Desk users"
admin.site.index_title = _("Overview")
admin.site.site_url = None  # there is no other site to view
# The list of users needs its width on a screen of 1280 pixels.
admin.site.enable_nav_sidebar = False


def schema_urls() -> list[URLPattern]:
    """Return the URLs of the OpenAPI document and its page, if drf-spectacular is installed."""
    if not apps.is_installed("drf_spectacular"):
        return []
    openapi = import_module("config.openapi")
    return [
        path("api/schema/", openapi.DocumentView.as_view(), name="schema"),
        path("api/schema/page/", openapi.PageView.as_view(url_name="schema")),
    ]


def scim_urls() -> list[URLResolver]:
    """Return the URLs of SCIM, if the extra `scim` is installed."""
    return [path("scim/v2/", include("users.scim.urls"))] if find_spec("scim2_server") else []


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """Return a 404 in JSON for paths below `/api/` that do not exist."""
    return JsonResponse({"detail": "Not found."}, status=404)


def no_icon(request: HttpRequest) -> HttpResponse:
    """Answer browsers, which ask each site for an icon, and call it an error if there is none."""
    return HttpResponse(status=204, headers={"Cache-Control": "max-age=86400"})


urlpatterns = [
    path("favicon.ico", no_icon),
    *schema_urls(),
    *scim_urls(),
    path("api/", include("users.urls")),
    re_path(r"^api/", not_found),
    path("invitations/", include("users.invitation_urls")),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
