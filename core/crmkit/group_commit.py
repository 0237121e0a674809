"""Writes to SQLite take turns, and those that wait for one another share a commit.

A commit waits for the disk, and while it does nobody else can write. So a write that is done while
others wait for their turn leaves the transaction open for them and waits; the last one commits for
all, and only then are they answered.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crmkit.errors import DatabaseBusy, Refused, WriteLost
from crmkit.shared_connection import SharedConnection


class GroupCommit:
    """Lets one thread at a time write, and commits for several at once.

    Attributes:
        writes_max: how many writes may share a commit; with 1 each commits for itself.
        seconds_max: how long after a transaction began another write may still join it.
        wait_seconds_max: how long a thread waits for its turn, and for the commit.
    """

    def __init__(self) -> None:
        self.writes_max = 64
        self.seconds_max = 0.05
        self.wait_seconds_max = 15.0
        self._mutex = Lock()  # guards the queue and who has the turn; the rest belongs to the turn
        self._queue: deque[_Ticket] = deque()
        self._is_taken = False
        self._group = _Group()
        self._driver: SharedConnection | None = None

    @contextmanager
    def turn(self, *, alone: bool = False) -> Iterator[None]:
        """Wait for the turn to write; when the block ends, wait until what it wrote is durable.

        A block that refuses does so only once what others wrote before it in the same transaction
        is durable, for that may be why.

        Args:
            alone: share the commit with nobody, for work that takes long.

        Raises:
            DatabaseBusy: the turn did not come up in time.
            WriteLost: what the block wrote may be stored or gone.
            DBAPIError: the commit failed, and nothing was stored.
        """
        ticket = _Ticket(alone)
        self._take_turn(ticket)
        group, waits = self._group, False
        refusal: Refused | None = None
        try:
            try:
                yield
            except Refused as error:
                refusal = error
            if refusal is None or group.waiting:
                group.waiting.append(ticket)
                waits = True
        finally:
            self._end_turn(ticket)
        if waits and not ticket.wait(self.wait_seconds_max):
            raise WriteLost from refusal
        if waits and group.failure is not None:
            raise group.failure() from refusal
        if refusal is not None:
            raise refusal

    def begin(self, connection: Connection) -> None:
        """Begin the write of whoever has the turn, in the transaction that is under way if any."""
        driver: Any = connection.connection.dbapi_connection
        self._driver = driver  # also if beginning fails half way
        if not driver.is_shared:
            self._group.began_at = monotonic()
            try:
                driver.begin()
            except sqlite3.Error as error:
                raise _as_sqlalchemy_has_it("BEGIN IMMEDIATE", error) from error
        driver.begin_write()

    def _take_turn(self, ticket: "_Ticket") -> None:
        # Ctrl+C may come after any line, most likely when the mutex is let go.
        is_called = False
        try:
            with self._mutex:
                if self._is_taken:
                    self._queue.append(ticket)
                else:
                    ticket.call()
                    self._is_taken = True
            is_called = ticket.wait(self.wait_seconds_max)
        except BaseException:
            if not self._left_queue(ticket) and (is_called or ticket.wait(0)):
                self._end_turn(ticket)
            raise
        if not is_called:
            if self._left_queue(ticket):
                raise DatabaseBusy(f"no turn to write came up in {self.wait_seconds_max} seconds")
            ticket.wait(0)  # it was called in the last moment

    def _left_queue(self, ticket: "_Ticket") -> bool:
        """Stop waiting for the turn; false if it has come up."""
        with self._mutex:
            if ticket not in self._queue:
                return False
            self._queue.remove(ticket)
            return True

    def _end_turn(self, ticket: "_Ticket") -> None:
        """Leave the commit to the next who waits for the turn, or commit for everyone."""
        with self._mutex:
            if self._queue and not ticket.is_alone and self._may_grow():
                self._queue.popleft().call()
                return
        group = self._group
        group.failure = WriteLost  # unless the commit says otherwise
        try:
            group.failure = self._commit(group)
        finally:
            self._group, self._driver = _Group(), None
            with self._mutex:
                if self._queue:
                    self._queue.popleft().call()
                else:
                    self._is_taken = False
            for each in group.waiting:
                each.call()

    def _may_grow(self) -> bool:
        """Tell whether the next in the queue may write in the transaction that is under way."""
        return (
            not self._queue[0].is_alone
            and len(self._group.waiting) < self.writes_max
            and monotonic() - self._group.began_at < self.seconds_max
            and not (self._driver is not None and self._driver.is_lost)
        )

    def _commit(self, group: "_Group") -> Callable[[], Exception] | None:
        """Make a group durable; returns what to raise if that failed."""
        driver = self._driver
        if driver is None or not driver.is_shared:
            return None  # nobody has sent a statement
        if driver.is_lost or not group.waiting:
            driver.give_up()
            return WriteLost
        try:
            driver.make_durable()
        except sqlite3.Error as error:
            return partial(_as_sqlalchemy_has_it, "COMMIT", error)
        return None


def _as_sqlalchemy_has_it(sql: str, error: sqlite3.Error) -> Exception:
    return DBAPIError.instance(sql, None, error, sqlite3.Error)


class _Group:
    """The writes that share a transaction.

    Attributes:
        waiting: those that are done, waiting for the commit.
        began_at: when the transaction began, on the monotonic clock.
        failure: makes the error of each of them, once the commit has failed.
    """

    def __init__(self) -> None:
        self.waiting: list[_Ticket] = []
        self.began_at = monotonic()
        self.failure: Callable[[], Exception] | None = None


class _Ticket:
    """Where a thread waits: for its turn, then for the commit."""

    __slots__ = ("_lock", "is_alone")

    def __init__(self, is_alone: bool) -> None:
        self.is_alone = is_alone
        self._lock = Lock()
        self._lock.acquire()

    def wait(self, seconds: float) -> bool:
        """Wait to be called; false if that takes too long."""
        return self._lock.acquire(timeout=seconds)

    def call(self) -> None:
        """Let the thread go on."""
        self._lock.release()
