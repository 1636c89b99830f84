"""The authentication backend."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest

from users.names import fold


class LoginBackend(ModelBackend):
    """Authenticates active users by login id, or by email if `login_using_email` is true.

    Both ignore case (`users.names`). If one user's login id is another user's email, the login id
    has precedence. To use it, set `AUTHENTICATION_BACKENDS = ["users.backends.LoginBackend"]`.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> Any:
        name = username or credentials.get(get_user_model().USERNAME_FIELD)
        if not name or password is None:
            return None
        user = self.find(name)
        if user is None:
            # Take as long as for a wrong password, to not reveal which accounts exist.
            get_user_model()().set_password(password)
            return None
        if user.check_password(password) and self.user_can_authenticate(user):
            return user
        return None

    def find(self, name: str) -> Any:
        """Return the user, active or not, who can log in as `name`, or None."""
        key = fold(name)
        by_email = Q(email_key=key, login_using_email=True)
        users = list(get_user_model()._default_manager.filter(Q(login_key=key) | by_email))
        return min(users, key=lambda user: user.login_key != key, default=None)
