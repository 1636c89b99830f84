"""A psycopg connection with a limit on waiting, and methods that call libpq directly.

A server that hangs still acknowledges TCP packets, so neither keepalives nor `tcp_user_timeout` end
the wait for its answer. The client has to.

Source: PostgreSQL's documentation, libpq, "Asynchronous Command Processing".
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, generators, pq

_IDLE = pq.TransactionStatus.IDLE
_SUCCEEDED = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class Connection(psycopg.Connection[Any]):
    """A psycopg connection that is closed if the server takes too long to answer.

    OperationalError is raised then. The command is not cancelled, so its outcome is unknown: a
    commit that is cancelled while it waits for a standby would be reported as successful, although
    the standby may not have it.

    max_wait: how many seconds the server may take, None for no limit.
    """

    max_wait: float | None
    prepared: dict[tuple[str, tuple[int, ...]], bytes]  # the statements' names
    _arrivals: Any  # the `select.poll` of the socket

    @classmethod
    def adopt(cls, connection: Any, max_wait: float | None) -> "Connection":
        """Turn a psycopg connection into one of this class, and return it."""
        if not isinstance(connection, cls):  # from a pool, it may be already
            # Django calls `psycopg.connect`, which cannot make other classes.
            connection.__class__ = cls
            connection.prepared = {}
            connection._arrivals = select.poll()
            connection._arrivals.register(connection.pgconn.socket, select.POLLIN)
        connection.max_wait = max_wait
        return connection

    def something_arrived(self) -> bool:
        """Return True if there is unread data from the server."""
        return bool(self._arrivals.poll(0))

    @contextmanager
    def waiting_at_most(self, seconds: float) -> Iterator[None]:
        """Have commands in the block wait no longer than `seconds`, whatever `max_wait` is."""
        max_wait = self.max_wait
        self.max_wait = seconds if max_wait is None else min(seconds, max_wait)
        try:
            yield
        finally:
            self.max_wait = max_wait

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait as psycopg does, but at most `max_wait`. All of psycopg's methods wait here."""
        if self.max_wait is not None:
            gen = self._bounded(gen, self.max_wait)
        return super().wait(gen, *args, **options)

    def _bounded(self, gen: Any, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        ready = None
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as stop:
                return stop.value
            if time.monotonic() > deadline:
                self._give_up()
            ready = yield wanted  # returns when data arrives, and every tenth of a second

    def result(self) -> Any:
        """Wait for the result of the command that was sent, and return it (a `pq.PGresult`).

        It does what `wait` does for psycopg's own cursors, without a generator.
        """
        if self.pgconn.flush():  # not all of the command is sent yet
            self.wait(generators.send(self.pgconn))
        result = self._next_result()
        try:
            while self._next_result():  # None: the server is ready for the next command
                pass
        except psycopg.OperationalError:
            _checked(result)  # raises the server's own error, if it sent one
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
        """Run a command without parameters."""
        self.pgconn.send_query(command)
        self.result()

    def begin(self) -> bool:
        """Begin a transaction unless one is open or autocommit is on. Return True if it began."""
        due = not self.autocommit and self.pgconn.transaction_status == _IDLE
        if due:
            self.run(b"BEGIN")
        return due


def _checked(result: Any) -> Any:
    """Return `result`, or raise its error as a `psycopg.Error`."""
    if result.status in _SUCCEEDED:
        return result
    if not result.error_field(pq.DiagnosticField.SQLSTATE):  # libpq's own error
        raise psycopg.OperationalError(result.get_error_message())
    raise errors.error_from_result(result)
