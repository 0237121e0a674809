"""Writes that queue up behind one another, so that they share a commit for certain."""

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from crmkit.database import Database
from crmkit.shared_connection import SharedConnection

Work = Callable[[Session], object]
INSERT = text("INSERT INTO number (value) VALUES (:value)")
PATIENCE_SECONDS = 60.0


class Numbers:
    """An SQLite database with one table of numbers.

    Attributes:
        sent: every statement the writing connection was sent, as text.
        answered: which of the works that were run together were answered so far, by position.
    """

    def __init__(self, database: Database) -> None:
        self.database, self.sent, self.answered = database, list[str](), list[int]()
        with database.write() as session:
            session.execute(text("CREATE TABLE number (value INTEGER NOT NULL PRIMARY KEY)"))
        self.driver.set_trace_callback(self.sent.append)

    @property
    def driver(self) -> SharedConnection:
        """The writing connection of the driver."""
        found: Any = self.database.writer.raw_connection()
        try:
            assert isinstance(found.driver_connection, SharedConnection)
            return found.driver_connection
        finally:
            found.close()

    @property
    def commits(self) -> int:
        """How many commits were sent."""
        return self.sent.count("COMMIT")

    def write(self, *values: int) -> None:
        """Store numbers in one write."""
        with self.database.write() as session:
            for value in values:
                session.execute(INSERT, {"value": value})

    def stored(self) -> set[int]:
        """Return what a reader sees."""
        with self.database.read() as session:
            return set(session.execute(text("SELECT value FROM number")).scalars())

    def together(self, works: Sequence[Work]) -> list[BaseException | None]:
        """Run works in writes of their own, in threads of their own, queued up in this order.

        Returns:
            What each raised.
        """
        raised: list[BaseException | None] = [None] * len(works)

        def run(at: int) -> None:
            try:
                with self.database.write() as session:
                    works[at](session)
            except BaseException as error:
                raised[at] = error
            self.answered.append(at)

        go = Event()
        first = works[0]

        def hold(session: Session) -> None:
            queued.set()
            assert go.wait(PATIENCE_SECONDS)
            first(session)

        queued = Event()
        works = [hold, *works[1:]]
        threads = [Thread(target=run, args=(at,), daemon=True) for at in range(len(works))]
        threads[0].start()
        assert queued.wait(PATIENCE_SECONDS)
        for waiting, thread in enumerate(threads[1:], 1):
            thread.start()
            self.wait_until_queued(waiting)
        go.set()
        finish(threads)
        return raised

    def wait_until_queued(self, writes: int) -> None:
        """Wait until so many writes wait for their turn."""
        until(lambda: len(self.database.group._queue) == writes)


def finish(threads: Sequence[Thread]) -> None:
    """Wait for threads, and fail rather than hang."""
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "writers wait for one another"


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.001)


def insert(value: int) -> Work:
    """Return work that stores a number."""
    return lambda session: session.execute(INSERT, {"value": value})


def send(sql: str) -> Work:
    """Return work that sends statements behind SQLAlchemy's back."""

    def work(session: Session) -> None:
        for each in sql.split(";"):
            session.connection().exec_driver_sql(each)

    return work


def fail(error: BaseException, after: int) -> Work:
    """Return work that stores a number and raises."""

    def work(session: Session) -> None:
        session.execute(INSERT, {"value": after})
        raise error

    return work
