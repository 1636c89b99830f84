from django.urls import include, path
from rest_framework.response import Response


def handle(exception, context):
    return Response({"host": "handled this"}, status=418)


urlpatterns = [path("internal/staff/", include("users.urls"))]
