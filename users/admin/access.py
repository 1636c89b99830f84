"""Who may change which account, and take away whose access."""

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from users.models import AbstractUser


def may_touch(actor: Any, user: AbstractUser | None) -> bool:
    """Return True if `actor`, who has the permission, may change `user` (None: users at all)."""
    return user is None or actor.is_superuser or not user.is_superuser


def may_change_credentials(actor: Any, user: AbstractUser) -> bool:
    """Return True if `actor`, who may change `user`, may change what `user` logs in with.

    Whoever sets an administrator's password, or the email to reset it, can log in with permissions
    that only a superuser may grant. This includes inactive administrators, whom any administrator
    may activate.
    """
    is_administrator = user.role_type == AbstractUser.RoleType.ADMINISTRATIVE
    return actor.is_superuser or actor.pk == user.pk or not is_administrator


def superuser_error(user: AbstractUser) -> str:
    """Return the error message for somebody who may not change `user`, a superuser."""
    return gettext("Only superusers can change the account of a superuser (%s).") % user


def access_removal_error(
    actor: AbstractUser, users: Iterable[AbstractUser], superusers: Collection[Any]
) -> str | None:
    """Return an error message if `actor` may not deactivate, delete or demote `users`.

    superusers: the ids of the active superusers, locked (`UserManager.lock_superusers`).
    """
    ids = {user.pk for user in users}
    if actor.pk in ids:
        return gettext("You cannot take away your own access.")
    if superusers and ids.issuperset(superusers):
        return gettext("The last active superuser cannot lose access.")
    return None


def password_removal_error(
    actor: AbstractUser, user: AbstractUser, superusers: Collection[Any]
) -> str | None:
    """Return an error message if `actor` may not disable the password of `user`.

    superusers: as for `access_removal_error`.
    """
    if actor.pk == user.pk:
        return gettext("You cannot take away your own access.")
    others = get_user_model()._default_manager.filter(pk__in=superusers)
    if [other.pk for other in others if other.has_usable_password()] == [user.pk]:
        return gettext("No other active superuser has a password.")
    return None
