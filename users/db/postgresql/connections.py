"""A psycopg connection that does not wait for ever, and runs a command by libpq's own calls.

A server that froze, unlike one that died, still acknowledges what TCP sends to it: no keepalive and
no `tcp_user_timeout` ends the wait for its answer. The client has to.

Source: PostgreSQL's documentation, libpq, "Asynchronous Command Processing".
"""

import select
import time
from typing import Any

import psycopg
from psycopg import errors, generators, pq

_IDLE = pq.TransactionStatus.IDLE
_SUCCEEDED = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class Connection(psycopg.Connection[Any]):
    """max_wait: how many seconds the server may take to answer, None for as long as it needs.

    When they are over, the connection is closed, and an OperationalError is raised. What was asked
    for is not cancelled, so nobody knows whether it was done: a commit that is cancelled while it
    waits for a standby would be reported as done, though the standby may not have it.
    """

    max_wait: float | None
    prepared: dict[tuple[str, tuple[int, ...]], bytes]  # the names of the server's statements
    _arrivals: Any  # the `select.poll` of the socket

    @classmethod
    def adopt(cls, connection: Any, max_wait: float | None) -> "Connection":
        """Make a connection of psycopg's one of this class, and return it."""
        if not isinstance(connection, cls):  # one from a pool may be
            # Django connects by `psycopg.connect`, which can be told no other class.
            connection.__class__ = cls
            connection.prepared = {}
            connection._arrivals = select.poll()
            connection._arrivals.register(connection.pgconn.socket, select.POLLIN)
        connection.max_wait = max_wait
        return connection

    def something_arrived(self) -> bool:
        """Return True if the server has sent something that nobody has read."""
        return bool(self._arrivals.poll(0))

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait as psycopg does, for whatever it waits for: all of its methods come here."""
        if self.max_wait is not None:
            gen = self._bounded(gen, time.monotonic() + self.max_wait)
        return super().wait(gen, *args, **options)

    def _bounded(self, gen: Any, deadline: float) -> Any:
        ready = None
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as stop:
                return stop.value
            if time.monotonic() > deadline:
                self._give_up()
            ready = yield wanted  # until something arrives, and a few times a second before that

    def result(self) -> Any:
        """Wait for the result of the command that was sent, and return it, a `pq.PGresult`.

        This is what `wait` does for psycopg's own cursors, but without a generator.
        """
        if self.pgconn.flush():  # the command is too long to be sent at once
            self.wait(generators.send(self.pgconn))
        result = self._next_result()
        try:
            while self._next_result():  # None: the server is ready for the next command
                pass
        except psycopg.OperationalError:
            _checked(result)  # why the server ended the connection, if it said so
            raise
        return _checked(result)

    def _next_result(self) -> Any:
        while self.pgconn.is_busy():
            if not self._arrivals.poll(self.max_wait and self.max_wait * 1000):
                self._give_up()
            self.pgconn.consume_input()
        return self.pgconn.get_result()

    def _give_up(self) -> None:
        self.pgconn.finish()
        raise psycopg.OperationalError(
            f"The server has not answered within {self.max_wait} seconds: the connection is closed."
        )

    def run(self, command: bytes) -> None:
        """Run a command without values."""
        self.pgconn.send_query(command)
        self.result()

    def begin(self) -> bool:
        """Begin a transaction if one is due, and return True if it was."""
        due = not self.autocommit and self.pgconn.transaction_status == _IDLE
        if due:
            self.run(b"BEGIN")
        return due

    def commit(self) -> None:
        """Commit the transaction that the connection is in, if it is in one."""
        if self.pgconn.transaction_status != _IDLE:
            self.run(b"COMMIT")


def _checked(result: Any) -> Any:
    """Return `result`, or raise the `psycopg.Error` that it is."""
    if result.status in _SUCCEEDED:
        return result
    if not result.error_field(pq.DiagnosticField.SQLSTATE):  # it is libpq's own: no server says it
        raise psycopg.OperationalError(result.get_error_message())
    raise errors.error_from_result(result)
