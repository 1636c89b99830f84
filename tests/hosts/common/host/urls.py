from django.contrib import admin
from django.urls import include, path

from users.forms import LoginForm

admin.site.login_form = LoginForm
urlpatterns = [path("api/", include("users.urls")), path("admin/", admin.site.urls)]
