"""Quick reads of SQLite: in the event loop's own thread, within a number of steps."""

import sqlite3
from os.path import exists
from threading import Lock
from typing import Any, Final

from sqlalchemy import Engine, PoolProxiedConnection

STEPS_MAX: Final = 100_000
"""Instructions of SQLite's machine that one statement may take, some milliseconds' worth."""
SLOW_MAX: Final = 1_000


class SqliteQuickReads:
    """One connection on which statements run at once or not at all.

    A statement that took too many steps is not tried here again.

    Args:
        reader: gives the connection; its statements must run outside transactions.
    """

    def __init__(self, reader: Engine) -> None:
        self._reader, self._path = reader, reader.url.database or ""
        self._lock = Lock()
        self._lent: PoolProxiedConnection | None = None
        self._driver: Any = None
        self._looked = 0
        self._slow: set[str] = set()

    async def text(self, sql: str, values: Any) -> str | None:
        """Return the one value of a statement, None if it takes too many steps or fails."""
        if sql in self._slow or not exists(self._path):
            return None
        # Another event loop of this process may be at it.
        if not self._lock.acquire(blocking=False):
            return None
        try:
            driver = self._driver or self._connected()
            self._looked = 0
            row = driver.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            self._remember(sql, error)
            return None
        finally:
            self._lock.release()
        found: str | None = row[0] if row else None
        return found

    def close(self) -> None:
        """Close the connection, which is set up as no other."""
        with self._lock:
            if self._lent is not None:
                self._lent.invalidate()
            self._lent = self._driver = None

    def _connected(self) -> Any:
        self._lent = self._reader.raw_connection()
        self._driver = self._lent.driver_connection
        self._driver.set_progress_handler(self._is_too_long, STEPS_MAX // 2)
        # Whoever else has the file locked, the event loop waits for nobody.
        self._driver.execute("PRAGMA busy_timeout=0")
        return self._driver

    def _is_too_long(self) -> bool:
        # SQLite counts the steps of a prepared statement through all its runs, so the first look
        # may come after few of them.
        self._looked += 1
        return self._looked > 2

    def _remember(self, sql: str, error: sqlite3.Error) -> None:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            if len(self._slow) >= SLOW_MAX:
                self._slow.clear()
            self._slow.add(sql)
