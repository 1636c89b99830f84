from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from config.health import alive, ready
from users.forms import LoginForm

admin.site.login_form = LoginForm
admin.site.site_header = admin.site.site_title = "Desk users"
# Its width is what the list of users needs on a screen of 1280 pixels.
admin.site.enable_nav_sidebar = False


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """Answer what is below `/api/` and is no call, as an API's client expects it."""
    return JsonResponse({"detail": "Not found."}, status=404)


urlpatterns = [
    path("healthz", alive),
    path("readyz", ready),
    path("api/", include("users.urls")),
    re_path(r"^api/", not_found),
    path("admin/", admin.site.urls),
]
