"""Django's PostgreSQL backend, with a health check that costs no round trip."""

import select

from django.db.backends.postgresql import base


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
