"""Statements that the server keeps prepared, each run by one call of libpq.

psycopg's own cursors go through generators in Python, for asyncio's sake, and that takes longer
than libpq does. Past them, the update call is a tenth faster (tests/benchmarks).

Source: PostgreSQL's documentation, libpq, "Command Execution Functions".
"""

import itertools
import re
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer

_numbers = itertools.count(1)
_IDLE = pq.TransactionStatus.IDLE
_SUCCEEDED = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


def checked(result: Any) -> Any:
    """Return `result`, a `psycopg.pq.PGresult`, or raise the `psycopg.Error` that it is."""
    if result.status in _SUCCEEDED:
        return result
    if not result.error_field(pq.DiagnosticField.SQLSTATE):  # it is libpq's own: no server says it
        raise psycopg.OperationalError(result.get_error_message())
    raise errors.error_from_result(result)


def commit(connection: "psycopg.Connection[Any]") -> None:
    """Commit the transaction that the connection is in, if it is in one."""
    if connection.pgconn.transaction_status != _IDLE:
        checked(connection.pgconn.exec_(b"COMMIT"))


class PreparedCursor:
    """Of a DB-API cursor (PEP 249), what it takes to run a statement again and again.

    cursor: one of psycopg's, for its connection and the types that it adapts.
    """

    def __init__(self, cursor: "psycopg.Cursor[Any]") -> None:
        self._connection = cursor.connection
        self._pgconn: Any = self._connection.pgconn
        self._transformer = Transformer(cursor)
        # As psycopg has them: by the statement and the types that its values have this time.
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._result: Any = None

    def execute(self, sql: str, values: Sequence[Any]) -> None:
        """Run `sql`, with one of `values` in the place of each `%s`.

        Raises what psycopg does. A statement that the server has no more, or whose tables are no
        longer what they were, fails once: the next run prepares it anew.
        """
        transformer = self._transformer
        dumped = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        if not self._connection.autocommit and self._pgconn.transaction_status == _IDLE:
            checked(self._pgconn.exec_(b"BEGIN"))
        key = sql, transformer.types or ()
        name = self._names.get(key) or self._prepare(*key)
        result = self._pgconn.exec_prepared(name, dumped, transformer.formats)
        try:
            self._result = checked(result)
        except (errors.InvalidSqlStatementName, errors.FeatureNotSupported):
            del self._names[key]
            raise
        transformer.set_pgresult(result)

    def _prepare(self, sql: str, types: tuple[int, ...]) -> bytes:
        number = itertools.count(1)
        numbered = re.sub("%[s%]", lambda m: f"${next(number)}" if m[0] == "%s" else "%", sql)
        name = b"desk_%d" % next(_numbers)
        checked(self._pgconn.prepare(name, numbered.encode(), types))
        self._names[sql, types] = name
        return name

    @property
    def rowcount(self) -> int:
        """The number of rows that the last run returned or changed."""
        return self._result.command_tuples

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows of the last run."""
        return self._transformer.load_rows(0, self._result.ntuples, tuple)
