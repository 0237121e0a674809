"""Quick reads of PostgreSQL: sent and received by the event loop, without a thread.

libpq works without blocking; the loop watches its sockets. Every statement is prepared once on each
connection, whose transactions are the server's own, one for each statement.
"""

import asyncio
from collections import deque
from typing import Any, Final

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from crmkit.quick_reads.postgres_line import Line
from crmkit.quick_reads.statements import STATEMENTS

CONNECTIONS_MAX: Final = 8
WAIT_SECONDS: Final = 1.0
"""How long a statement waits for a connection before it is read otherwise."""
REST_SECONDS: Final = 1.0
"""How long no new connection is tried after one could not be made."""


class PostgresQuickReads:
    """A few connections that belong to one event loop.

    Args:
        reader: makes the connections.
    """

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free: list[Line] = []
        self._lines: set[Line] = set()
        self._opening = 0
        self._resting_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def text(self, sql: str, values: Any) -> bytes | None:
        """Return the one value of a statement, None if it must be read otherwise."""
        loop = asyncio.get_running_loop()
        line = await self._taken(loop) if self._is_ours(loop) else None
        if line is None:
            return None
        try:
            return await line.text(STATEMENTS.of(sql), values)
        except (psycopg.Error, OSError):
            return None
        finally:
            self._give_back(line)

    def close(self) -> None:
        """Close the connections, from whichever thread."""
        loop, self._loop = self._loop, None
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self._close_all)
        else:
            self._close_all()

    def _is_ours(self, running: asyncio.AbstractEventLoop) -> bool:
        """Tell whether a loop may use the connections; a new one takes over from a closed one."""
        if self._loop is running:
            return True
        if self._loop is not None and not self._loop.is_closed():
            return False
        self._close_all()
        self._loop = running
        return True

    async def _taken(self, loop: asyncio.AbstractEventLoop) -> Line | None:
        """Return a connection nobody uses, None if there can be none."""
        until = loop.time() + WAIT_SECONDS
        while not self._free:
            if len(self._lines) + self._opening < CONNECTIONS_MAX:
                return await self._opened(loop)
            waiter = loop.create_future()
            self._waiting.append(waiter)
            try:
                async with asyncio.timeout_at(until):
                    await waiter
            except TimeoutError:
                self._wake_next()
                return None
            except asyncio.CancelledError:
                self._wake_next()
                raise
        return self._free.pop()

    async def _opened(self, loop: asyncio.AbstractEventLoop) -> Line | None:
        if loop.time() < self._resting_until:
            return None
        self._opening += 1
        try:
            # Names are looked up and passwords proved, which blocks.
            connection = await loop.run_in_executor(None, self._connected)
            line = Line(connection, loop, self._lost)
        except (psycopg.Error, SQLAlchemyError, OSError, NotImplementedError):
            self._resting_until = loop.time() + REST_SECONDS
            self._wake_next()
            return None
        finally:
            self._opening -= 1
        self._lines.add(line)
        return line

    def _connected(self) -> Any:
        lent = self._reader.raw_connection()
        connection = lent.driver_connection
        lent.detach()
        return connection

    def _give_back(self, line: Line) -> None:
        if not line.is_good:
            self._lines.discard(line)
            line.close()
        elif line in self._lines:
            self._free.append(line)
        self._wake_next()

    def _wake_next(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _lost(self, line: Line) -> None:
        """Forget a connection that the server ended while nobody used it."""
        self._lines.discard(line)
        if line in self._free:
            self._free.remove(line)
        line.close()

    def _close_all(self) -> None:
        lines, self._lines, self._free = self._lines, set(), []
        for line in lines:
            line.close()
