"""The session engine: Django's database sessions, with a foreign key to the user.

To use it, set `SESSION_ENGINE = "users.sessions"`.
"""

from hashlib import sha256
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import router, transaction
from django.utils.crypto import constant_time_compare

from users.models import Session


class SessionStore(DatabaseSessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        # It comes from a cookie, and PostgreSQL refuses a text with U+0000.
        django: Any = super()
        return bool(django._validate_session_key(key)) and set(key or ()) <= set(VALID_KEY_CHARS)

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the session's row. Raises `UpdateError` unless its user exists and is active."""
        session: Any = super().create_model_instance(data)
        session.user_id = get_user_model()._meta.pk.to_python(data.get(SESSION_KEY))
        if session.user_id is not None:
            using = router.db_for_write(self.model)
            users = get_user_model()._base_manager.using(using).select_for_update()
            user = users.filter(pk=session.user_id).only("status", "password").first()
            if user is None or not user.is_active:
                raise UpdateError
            if _is_current(user, data.get(HASH_SESSION_KEY, "")):
                session.password_digest = sha256(user.password.encode()).hexdigest()
        return session

    def save(self, must_create: bool = False) -> None:
        """Save the session, with its user's row locked.

        If the user is deactivated at the same time, either this save notices it, or the
        deactivation deletes this session.
        """
        with transaction.atomic(using=router.db_for_write(self.model)):
            super().save(must_create)

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)


def _is_current(user: Any, session_hash: str) -> bool:
    """Return True if the session's hash is still that of the user's password."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, known) for known in hashes)
