"""Engines and sessions: many readers and one SQLite writer, or a PostgreSQL pool."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlmodel import Session

from crmkit.engines import POSTGRES_OPTIONS, postgres_engine, sqlite_engine
from crmkit.errors import DatabaseBusy, DatabaseNotReady, SessionMisused, SettingsError
from crmkit.group_commit import GroupCommit
from crmkit.quick_reads import QuickReads, quick_reads
from crmkit.quick_reads.blocking import read_text
from crmkit.write_session import WriteSession, require_under_way, under_way


class Database:
    """One database, opened for reading at once and for writing on first need.

    SQLite takes one writer: a lock file keeps other processes from writing, in this one the
    writing threads take turns on a single connection, so none of them ever meets "database is
    locked", and share commits. PostgreSQL takes as many as its pool holds.

    Attributes:
        group: how writes to SQLite take turns and share commits.
        quick: reads of one statement on the event loop.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url: URL = make_url(url)
        except Exception:
            # The address may hold a password, which the error's own text would show, too.
            raise SettingsError(
                "database_url is not a database address; "
                "write postgresql://user:password@host:5432/name or sqlite:////folder/file"
            ) from None
        backend = self.url.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise SettingsError(
                f"database_url: {backend!r} is not supported; use sqlite or postgresql"
            )
        self.dialect = backend
        self.group = GroupCommit()
        self._writing = threading.local()
        self._claiming = threading.Lock()
        self._claim: FileLock | None = None
        if backend == "sqlite":
            self._reader = sqlite_engine(self.url, writes=False)
            self._once = sqlite_engine(self.url, writes=False, begins=False)
            self._writer = sqlite_engine(self.url, writes=True)
            self._write_options = {"group": self.group}
        else:
            self._writer, self._write_options = postgres_engine(self.url), {}
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._once = postgres_engine(
                self.url,
                isolation_level="AUTOCOMMIT",
                pool_pre_ping=False,
                pool_reset_on_return=None,
                settings=f"{POSTGRES_OPTIONS} -c default_transaction_read_only=on",
            )
        self.quick: QuickReads = quick_reads(self._once)

    @contextmanager
    def read(self, *, unhurried: bool = False) -> Iterator[Session]:
        """Open a session that sees one snapshot and cannot write; its rows stay readable after.

        Args:
            unhurried: let statements take as long as they need, for work nobody waits for.

        Raises:
            DatabaseNotReady: there is no SQLite file.
        """
        if self.dialect == "sqlite":
            self._require_file()
        with Session(self._reader, expire_on_commit=False) as session, session.begin():
            if unhurried:
                self._take_time(session)
            yield session

    def read_text(self, sql: str, values: Any) -> str:
        """Return the one value of one statement, which is a snapshot by itself.

        The connection is not tried before: the first statement after a restart of PostgreSQL may
        fail.

        Args:
            sql: as SQLAlchemy's driver for the database takes it, `values` its parameters.

        Raises:
            DatabaseNotReady: there is no SQLite file.
            DBAPIError: the database refused it or could not be reached.
        """
        if self.dialect == "sqlite":
            self._require_file()
        return read_text(self._once, sql, values)

    @contextmanager
    def write(self, *, unhurried: bool = False) -> Iterator[WriteSession]:
        """Open a session whose writes are durable after the block, or undone if it raises.

        Args:
            unhurried: let statements take as long as they need, for work nobody waits for.

        Raises:
            DatabaseBusy: another process writes the SQLite file, or another thread for too long.
            SessionMisused: the block ended the session's transaction, or there is one open already
                in this thread.
            WriteLost: a write that shared the SQLite transaction ended it.
        """
        if getattr(self._writing, "now", False):
            raise SessionMisused("open a second writing session beside")
        with self.turn(alone=unhurried):
            self._writing.now = True
            session = WriteSession(self._writer)
            try:
                with session.begin():
                    session.connection(execution_options=self._write_options)
                    if unhurried:
                        self._take_time(session)
                    before = under_way(session)
                    yield session
                    require_under_way(session, before)
            finally:
                session._ended_by_owner = True
                session.close()
                self._writing.now = False
        session.run_afterwards()

    def _take_time(self, session: Session) -> None:
        """Lift the limits of PostgreSQL until the transaction ends; SQLite has none."""
        if self.dialect == "postgresql":
            for option in ("statement_timeout", "idle_in_transaction_session_timeout"):
                session.connection().exec_driver_sql(f"SET LOCAL {option} = 0")

    def turn(self, *, alone: bool = True) -> AbstractContextManager[None]:
        """Keep other writes to SQLite away until the block ends; nothing on PostgreSQL.

        Args:
            alone: share no commit with others.

        Raises:
            DatabaseBusy: another process writes the SQLite file, or another thread for too long.
        """
        if self.dialect != "sqlite":
            return nullcontext()
        self.claim()
        return self.group.turn(alone=alone)

    def claim(self) -> None:
        """Become the one process that writes this SQLite file; does nothing on PostgreSQL.

        Raises:
            DatabaseBusy: another process writes it.
        """
        if self.dialect != "sqlite":
            return
        with self._claiming:
            if self._claim is None:
                self._claim = _lock_file(self._path())

    def close(self) -> None:
        """Close every connection and let other processes write."""
        self.quick.close()
        self._once.dispose()
        self._reader.dispose()
        self._writer.dispose()
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def create(self) -> None:
        """Make the SQLite file if there is none, empty; PostgreSQL's is the operator's to make."""
        if self.dialect == "sqlite" and not self._path().exists():
            with self.turn(), self._writer.connect():
                pass

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All engines there are, for who listens to statements."""
        return self._writer, self._reader, self._once

    @property
    def writer(self) -> Engine:
        """The writing engine; migrations need it bare."""
        return self._writer

    def _path(self) -> Path:
        return Path(self.url.database or "")

    def _require_file(self) -> None:
        if not self._path().exists():
            raise DatabaseNotReady(f"there is no database {self._path()}; run: crmkit db upgrade")


def _lock_file(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock", mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DatabaseBusy(
            f"{path} is being written by another crmkit process, such as crmkit serve; stop it "
            "first: commands that write need the SQLite file to themselves"
        ) from None
    return lock
