"""Django's PostgreSQL backend, with fewer round trips and a shorter way to libpq."""

import select
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction

from config.postgresql import prepared


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection that another request left can serve this one.

        A server that ends a connection says so: as long as nothing has arrived on an idle one, it
        stands, and the question that Django asks the server before each request can be left out. A
        server that is gone without a word is found by TCP's keepalives (`config.settings`).
        """
        poll = select.poll()
        try:
            poll.register(self.connection, select.POLLIN)
        except self.Database.Error:  # the driver knows already that it is gone
            return False
        return not poll.poll(0) or super().is_usable()

    def create_prepared_cursor(self) -> Any:
        """Return a cursor for a statement that is run again and again (`users.queries`)."""
        cursor = self.create_cursor()
        # A transaction with an isolation level of its own is left to the driver to begin.
        return cursor if self.connection.isolation_level else prepared.PreparedCursor(cursor)

    def _commit(self) -> None:
        if self.connection is not None:
            with debug_transaction(self, "COMMIT"), self.wrap_database_errors:
                prepared.commit(self.connection)
