"""The app's URLs; a host mounts them where it likes: `path("api/", include("users.urls"))`."""

from django.urls import path

from users.api.views.user import UserView

app_name = "users"

urlpatterns = [
    path("users/<str:user_id>", UserView.as_view(), name="user"),
    # With a slash too, for Django's redirect to it would lose the body; described once.
    path("users/<str:user_id>/", UserView.as_view(schema=None)),
]
