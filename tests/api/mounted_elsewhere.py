"""URLs of a project that mounts the calls below a path with parameters, and not in ASCII."""

from django.urls import include, path

from users.api.views.user import UserView
from users.api.views.users import UsersView

calls = [path("users", UsersView.as_view()), path("users/<str:user_id>", UserView.as_view())]

urlpatterns = [path("désk/7/", include(calls))]
