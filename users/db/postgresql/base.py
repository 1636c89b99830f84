"""Django's PostgreSQL backend, with fewer round trips and a shorter way to libpq.

It has one more of the OPTIONS, `max_wait`: how many seconds the server may take to answer, before
the connection is closed and an OperationalError is raised; by default, as many as it needs.
"""

from typing import Any

from django.db.backends.postgresql import base

from users.db.postgresql.connections import Connection
from users.db.postgresql.prepared import PreparedCursor


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        parameters.pop("max_wait", None)
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        connection = super().get_new_connection(conn_params)
        return Connection.adopt(connection, self.settings_dict["OPTIONS"].get("max_wait"))

    def is_usable(self) -> bool:
        """Whether the connection that another request left can serve this one.

        A server that ends a connection says so: as long as nothing has arrived on an idle one, it
        stands, and the question that Django asks the server before each request can be left out. A
        server that is gone without a word is found by TCP's keepalives (`config.settings`).
        """
        if self.connection.closed:  # the driver knows already that it is gone
            return False
        return not self.connection.something_arrived() or super().is_usable()

    def create_prepared_cursor(self) -> Any:
        """Return a cursor for a statement that is run again and again (`users.db.compiled`)."""
        cursor = self.create_cursor()
        # A transaction with an isolation level of its own is left to the driver to begin.
        return cursor if self.connection.isolation_level else PreparedCursor(cursor)
