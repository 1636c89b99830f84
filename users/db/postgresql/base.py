"""Django's PostgreSQL backend, with fewer round trips and less overhead per statement.

It adds `max_wait` to OPTIONS: how many seconds to wait for an answer of the server, before the
connection is closed and OperationalError raised. The default is no limit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.postgresql import base

from users.db.postgresql.connections import Connection
from users.db.postgresql.prepared import PreparedCursor

#: How many seconds a question may take that only finds out whether the server answers.
PROBE_WAIT = 3


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        parameters.pop("max_wait", None)
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        connection = super().get_new_connection(conn_params)
        return Connection.adopt(connection, self.settings_dict["OPTIONS"].get("max_wait"))

    def is_usable(self) -> bool:
        """Return True if the connection can serve another request.

        Django sends a query to find out. Usually that is not needed: a server that closes a
        connection sends something first, so an idle one without unread data is still open. TCP's
        keepalives find servers that vanished silently (`config.settings`). The query would add
        about 8 per cent to the update call's CPU time (`python -m tests.benchmarks.parts`).
        """
        if self.connection.closed:  # as the driver already knows
            return False
        if not self.connection.something_arrived():
            return True
        with self.probing():
            return super().is_usable()

    @contextmanager
    def probing(self) -> Iterator[None]:
        """Have statements in the block wait no longer than `PROBE_WAIT`."""
        self.ensure_connection()
        with self.connection.waiting_at_most(PROBE_WAIT):
            yield

    def set_autocommit(self, autocommit: bool, *args: Any, **options: Any) -> None:
        """Do nothing if autocommit is due to be on and there is no connection.

        A new connection begins with autocommit on. Django would connect for this alone where a
        commit or a rollback has lost its connection, and a call would wait twice.
        """
        if self.connection is None and autocommit and self.settings_dict["AUTOCOMMIT"]:
            return
        super().set_autocommit(autocommit, *args, **options)

    def create_prepared_cursor(self) -> Any:
        """Return a cursor that prepares its statements (`users.db.compiled` uses it)."""
        cursor = self.create_cursor()
        # Only psycopg's own cursors begin transactions with a given isolation level.
        return cursor if self.connection.isolation_level else PreparedCursor(cursor)
