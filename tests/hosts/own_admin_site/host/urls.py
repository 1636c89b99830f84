from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import include, path

from users.admin import GroupAdmin
from users.admin.registration import register
from users.forms import LoginForm


class Operations(admin.AdminSite):
    site_header = "Operations"
    login_form = LoginForm
    index_template = "ops/index.html"


operations = Operations(name="ops")
register(operations)
operations.register(Group, GroupAdmin)

admin.site.login_form = LoginForm
urlpatterns = [
    path("api/", include("users.urls")),
    path("admin/", admin.site.urls),
    path("ops/", operations.urls),
]
