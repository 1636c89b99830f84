"""The session engine: Django's database sessions, which know their user.

A project names it in its settings: `SESSION_ENGINE = "users.sessions"`.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import router, transaction

from users.models import Session


class SessionStore(DatabaseSessionStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session: Any = super().create_model_instance(data)
        session.user_id = get_user_model()._meta.pk.to_python(data.get(SESSION_KEY))
        return session

    def save(self, must_create: bool = False) -> None:
        """Save the session; `UpdateError` where its user is not there or not active.

        The user's row is locked meanwhile: a deactivation at this moment either is seen here or
        ends the session that is saved here.
        """
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        user_id = data.get(SESSION_KEY)
        using = router.db_for_write(self.model)
        with transaction.atomic(using=using):
            if user_id is not None:
                users = get_user_model()._base_manager.using(using).select_for_update()
                user = users.filter(pk=user_id).only("status").first()
                if user is None or not user.is_active:
                    raise UpdateError
            super().save(must_create)

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)
