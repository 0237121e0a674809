"""One PostgreSQL connection that an event loop watches."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import pq

from crmkit.prepared import PREPARED_MAX
from crmkit.quick_reads.statements import NumberedStatement, Types


class Line:
    """One connection, watched by the loop.

    Attributes:
        is_good: whether the next statement may use it.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        loop: asyncio.AbstractEventLoop,
        lost: Callable[["Line"], None],
    ) -> None:
        self._connection, self._loop, self._lost = connection, loop, lost
        self._libpq = connection.pgconn
        self._libpq.nonblocking = 1
        self._socket = self._libpq.socket
        self._prepared: dict[tuple[str, Types], bytes] = {}
        self._waiter: asyncio.Future[Any] | None = None
        self._result: Any = None
        self.is_good = True
        loop.add_reader(self._socket, self._readable)

    async def text(self, statement: NumberedStatement, values: Any) -> bytes:
        """Return the one value of a statement.

        Raises:
            psycopg.Error: it failed, or the connection did.
        """
        texts, types = statement.encoded(values, self._connection)
        known = self._prepared.get((statement.sql, types))
        name = known or await self._prepare(statement, types)
        self._libpq.send_query_prepared(name, texts)
        result = await self._answered(pq.ExecStatus.TUPLES_OK)
        found: bytes = result.get_value(0, 0)
        return found

    def close(self) -> None:
        """End the connection; whoever waits for it is told."""
        self.is_good = False
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
        self._connection.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(psycopg.OperationalError("the connection was closed"))

    async def _prepare(self, statement: NumberedStatement, types: Types) -> bytes:
        if len(self._prepared) >= PREPARED_MAX:
            self._libpq.send_query(b"DEALLOCATE ALL")
            await self._answered(pq.ExecStatus.COMMAND_OK)
            self._prepared.clear()
        name = b"q%d" % len(self._prepared)
        self._libpq.send_prepare(name, statement.numbered, types)
        await self._answered(pq.ExecStatus.COMMAND_OK)
        self._prepared[statement.sql, types] = name
        return name

    async def _answered(self, wanted: pq.ExecStatus) -> Any:
        """Return the result of what was sent; a statement too long for the socket is refused."""
        # Whoever stops waiting leaves an answer behind that nobody must take for his.
        self.is_good = False
        if self._libpq.flush():
            raise psycopg.OperationalError("the statement does not fit into the socket")
        self._waiter = self._loop.create_future()
        result = await self._waiter
        self.is_good = True
        if result is None or result.status != wanted:
            raise psycopg.DatabaseError("the statement failed")
        return result

    def _readable(self) -> None:
        try:
            self._libpq.consume_input()
            while not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is None:
                    self._finish()
                    return
                self._result = result
        except psycopg.Error as error:
            self.is_good = False
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(error)
            else:
                self._lost(self)

    def _finish(self) -> None:
        result, self._result = self._result, None
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(result)
