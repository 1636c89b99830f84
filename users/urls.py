"""The API's URLs. To mount them: `path("api/", include("users.urls"))`."""

from django.urls import path

from users.api.views.attributes import AttributesView
from users.api.views.changes import ChangesView
from users.api.views.history import HistoryView
from users.api.views.search import SearchView
from users.api.views.user import UserView
from users.api.views.users import UsersView

app_name = "users"

urlpatterns = [
    path("users", UsersView.as_view(), name="users"),
    path("users/search", SearchView.as_view(), name="search"),
    path("users/<str:user_id>", UserView.as_view(), name="user"),
    path("users/<str:user_id>/history", HistoryView.as_view(), name="history"),
    path("changes", ChangesView.as_view(), name="changes"),
    path("attributes", AttributesView.as_view(), name="attributes"),
    # With a slash as well, because APPEND_SLASH's redirect would lose the body.
    path("users/", UsersView.as_view(schema=None)),
    path("users/search/", SearchView.as_view(schema=None)),
    path("users/<str:user_id>/", UserView.as_view(schema=None)),
    path("users/<str:user_id>/history/", HistoryView.as_view(schema=None)),
    path("changes/", ChangesView.as_view(schema=None)),
    path("attributes/", AttributesView.as_view(schema=None)),
]
