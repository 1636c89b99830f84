"""The users: `GET`, `POST` and `PATCH /api/users`."""

from users.api.views.bulk_update import BulkUpdateView
from users.api.views.create import CreateView
from users.api.views.list import ListView


class UsersView(ListView, CreateView, BulkUpdateView):
    """Lists the team's users (`GET`), creates one (`POST`), and updates many (`PATCH`)."""

    http_method_names = ["get", "head", "post", "patch"]
