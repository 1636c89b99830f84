"""The OpenAPI document and its page. They are public, and ignore credentials and options."""

from django.utils import translation
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response


class DocumentView(SpectacularAPIView):
    authentication_classes = []  # DRF's default accepts passwords, without a lock-out
    http_method_names = ["get", "head"]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        # drf-spectacular's own method reads `lang`, and Django caches a catalogue for each value,
        # and `version`, which it puts into a header.
        with translation.override(None):  # in English, like the calls
            return Response(self.generator_class().get_schema(request, public=True))


class PageView(SpectacularSwaggerSplitView):
    # The page has neither a script nor a style of its own, which the policy for pages refuses.
    template_name = "api_page.html"
    authentication_classes = []
    http_method_names = ["get", "head"]
