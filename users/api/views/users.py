"""The users: `GET /api/users`."""

from users.api.views.list import ListView


class UsersView(ListView):
    """Lists the team's users (`GET`)."""

    http_method_names = ["get", "head"]
