"""Who may touch whose account, and take whose access away."""

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from users.models import AbstractUser


def may_touch(actor: Any, user: AbstractUser | None) -> bool:
    """Return True if `actor`, with the permission for it, may change `user` (None: some user)."""
    return user is None or actor.is_superuser or not user.is_superuser


def may_change_credentials(actor: Any, user: AbstractUser) -> bool:
    """Return True if `actor`, who may change `user`, may change what `user` logs in with.

    A password lets its new owner in, and so does a page that sends a reset to the email: with
    rights that only a superuser may give. Also of an administrator who is inactive, for anybody on
    the staff may activate him.
    """
    is_administrator = user.role_type == AbstractUser.RoleType.ADMINISTRATIVE
    return actor.is_superuser or actor.pk == user.pk or not is_administrator


def superuser_error(user: AbstractUser) -> str:
    """Return the message that the account of `user`, a superuser, is not everybody's to change."""
    return gettext("Only a superuser changes a superuser's account (%s).") % user


def access_removal_error(
    actor: AbstractUser, users: Iterable[AbstractUser], superusers: Collection[Any]
) -> str | None:
    """Return why `actor` may not deactivate, delete or demote `users`, as a message, or None.

    superusers: the ids of the superusers who may enter, locked (`UserManager.lock_superusers`).
    """
    ids = {user.pk for user in users}
    if actor.pk in ids:
        return gettext("You cannot take your own access away.")
    if superusers and ids.issuperset(superusers):
        return gettext("The last active superuser has to stay one.")
    return None


def password_removal_error(
    actor: AbstractUser, user: AbstractUser, superusers: Collection[Any]
) -> str | None:
    """Return why `actor` may not disable the password of `user`, as a message, or None.

    superusers: as for `access_removal_error`.
    """
    if actor.pk == user.pk:
        return gettext("You cannot take your own access away.")
    others = get_user_model()._default_manager.filter(pk__in=superusers)
    if [other.pk for other in others if other.has_usable_password()] == [user.pk]:
        return gettext("No other active superuser has a password.")
    return None
