"""The app's URLs; a host mounts them where it likes: `path("api/", include("users.urls"))`."""

from django.urls import path

from users.views import UpdateUserView

app_name = "users"

update_user = UpdateUserView.as_view()

urlpatterns = [
    # Both, for Django's redirect to the one with the slash would lose the body.
    path("users/<str:user_id>", update_user, name="user"),
    path("users/<str:user_id>/", update_user),
]
