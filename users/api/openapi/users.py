"""Describes the calls of `/api/users`."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension

from users.api.openapi import bulk_update, create, list_users


class UsersCalls(OpenApiViewExtension):
    target_class = "users.api.views.users.UsersView"
    match_subclasses = True

    def view_replacement(self) -> Any:
        class Documented(self.target_class):  # type: ignore[name-defined]
            @list_users.described
            def get(self, *args: Any, **kwargs: Any) -> Any:
                return super().get(*args, **kwargs)

            @create.described
            def post(self, *args: Any, **kwargs: Any) -> Any:
                return super().post(*args, **kwargs)

            @bulk_update.described
            def patch(self, *args: Any, **kwargs: Any) -> Any:
                return super().patch(*args, **kwargs)

        return Documented
