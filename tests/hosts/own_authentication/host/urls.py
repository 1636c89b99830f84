from django.contrib import admin
from django.urls import path
from host.views import HostView

urlpatterns = [
    path("people-ops/v2/users/<str:user_id>", HostView.as_view()),
    path("admin/", admin.site.urls),
]
