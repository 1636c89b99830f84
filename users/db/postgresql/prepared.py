"""Statements prepared on the server, and run by calling libpq directly.

psycopg's cursors use Python generators, to share code with asyncio, which take longer than libpq
itself, and Django has them prepare nothing. With them, the update call takes about 15 per cent more
CPU time, and 70 more of the database server's (`python -m tests.benchmarks.parts`).
"""

import itertools
import re
from collections.abc import Sequence
from typing import Any

from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer

from users.db.postgresql.connections import Connection

_numbers = itertools.count(1)


class PreparedCursor:
    """A minimal DB-API cursor (PEP 249) for prepared statements.

    cursor: a psycopg cursor, for its connection and its type adapters.
    """

    def __init__(self, cursor: Any) -> None:
        self._connection: Connection = cursor.connection
        self._pgconn: Any = self._connection.pgconn
        self._transformer = Transformer(cursor)
        self._result: Any = None

    def execute(self, sql: str, values: Sequence[Any]) -> None:
        """Run `sql` with `values` for its `%s` placeholders. Raises `psycopg.Error`."""
        connection = self._connection
        dumped = self._transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        began = connection.begin()
        try:
            self._run(sql, dumped)
        except (errors.InvalidSqlStatementName, errors.FeatureNotSupported):
            # The statement was deallocated, or a table that it uses was altered.
            connection.prepared.clear()
            if began:
                connection.run(b"ROLLBACK")
                connection.begin()
            elif self._pgconn.transaction_status != pq.TransactionStatus.IDLE:
                raise  # a rollback would lose the transaction's earlier changes
            self._run(sql, dumped)

    def _run(self, sql: str, dumped: Sequence[Any]) -> None:
        transformer = self._transformer
        # One prepared statement for each SQL text and parameter types, as in psycopg.
        key = sql, transformer.types or ()
        name = self._connection.prepared.get(key) or self._prepare(*key)
        self._pgconn.send_query_prepared(name, dumped, transformer.formats)
        self._result = self._connection.result()
        transformer.set_pgresult(self._result)

    def _prepare(self, sql: str, types: tuple[int, ...]) -> bytes:
        number = itertools.count(1)
        numbered = re.sub("%[s%]", lambda m: f"${next(number)}" if m[0] == "%s" else "%", sql)
        name = b"desk_%d" % next(_numbers)
        self._pgconn.send_prepare(name, numbered.encode(), types)
        self._connection.result()
        self._connection.prepared[sql, types] = name
        return name

    @property
    def rowcount(self) -> int:
        """The number of rows that the last statement returned or changed."""
        return self._result.command_tuples

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows of the last statement."""
        return self._transformer.load_rows(0, self._result.ntuples, tuple)
