"""The API's URLs. To mount them: `path("api/", include("users.urls"))`."""

from django.urls import path

from users.api.views.user import UserView

app_name = "users"

urlpatterns = [
    path("users/<str:user_id>", UserView.as_view(), name="user"),
    # With a slash as well, because APPEND_SLASH's redirect would lose the body.
    path("users/<str:user_id>/", UserView.as_view(schema=None)),
]
