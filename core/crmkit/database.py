"""Engines and sessions: many readers and one SQLite writer, or a PostgreSQL pool."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from crmkit.errors import DatabaseBusy, DatabaseNotReady, SessionMisused, SettingsError

_POSTGRES_OPTIONS = (
    "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000"
)


_TURN_SECONDS_MAX = 15.0
# Primary result codes: busy, locked, no memory, read-only, I/O, corrupt, full, cannot open, no
# database.
_SQLITE_OUTAGES = frozenset({5, 6, 7, 8, 10, 11, 13, 14, 26})


class WriteSession(Session):
    """A session in which one write happens, whole or not at all.

    Whoever opened it ends it: services and hooks that work in it can neither commit nor roll
    back, so what one of them does never comes apart from the rest. Savepoints are allowed.
    """

    _ended_by_owner = False

    def commit(self) -> None:
        """Refuse, unless the owner ends the session."""
        self._only_owner("commit")
        super().commit()

    def rollback(self) -> None:
        """Refuse, unless the owner ends the session; raise an exception to undo the write."""
        self._only_owner("roll back")
        super().rollback()

    def close(self) -> None:
        """Refuse, unless the owner ends the session."""
        self._only_owner("close")
        super().close()

    def _only_owner(self, what: str) -> None:
        if not self._ended_by_owner:
            raise SessionMisused(what)


class Database:
    """One database, opened for reading at once and for writing on first need.

    SQLite takes one writer: a lock file keeps other processes from writing, a lock in this one
    lines the writing threads up on a single connection, so none of them ever meets
    "database is locked". PostgreSQL takes as many as its pool holds.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url: URL = make_url(url)
        except Exception as error:
            raise SettingsError(f"database_url {url!r} is not a database address") from error
        backend = self.url.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise SettingsError(
                f"database_url: {backend!r} is not supported; use sqlite or postgresql"
            )
        self.dialect = backend
        self._turn = threading.Lock()
        self._writing = threading.local()
        self._claiming = threading.Lock()
        self._claim: FileLock | None = None
        if backend == "sqlite":
            self._reader = _sqlite_engine(self.url, writes=False)
            self._once = _sqlite_engine(self.url, writes=False, begins=False)
            self._writer = _sqlite_engine(self.url, writes=True)
        else:
            self._writer = _postgres_engine(self.url)
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._once = _postgres_engine(
                self.url,
                isolation_level="AUTOCOMMIT",
                pool_pre_ping=False,
                pool_reset_on_return=None,
                settings=f"{_POSTGRES_OPTIONS} -c default_transaction_read_only=on",
            )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one snapshot and cannot write; its rows stay readable after."""
        if self.dialect == "sqlite":
            self._require_file()
        with Session(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read_once(self) -> Iterator[Connection]:
        """Open a connection for one statement that reads, which is a snapshot by itself.

        It begins no transaction and is not tried before it is lent: the first statement after a
        restart of PostgreSQL may fail.
        """
        if self.dialect == "sqlite":
            self._require_file()
        with self._once.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that commits when the block ends and undoes everything if it raises."""
        if getattr(self._writing, "now", False):
            raise SessionMisused("open a second writing session beside")
        self.claim()
        with self._take_turn():
            self._writing.now = True
            session = WriteSession(self._writer)
            try:
                with session.begin():
                    yield session
            finally:
                session._ended_by_owner = True
                session.close()
                self._writing.now = False

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        """Wait until no other thread writes; PostgreSQL does its own waiting."""
        if self.dialect != "sqlite":
            yield
            return
        if not self._turn.acquire(timeout=_TURN_SECONDS_MAX):
            raise DatabaseBusy(f"no turn to write came up in {_TURN_SECONDS_MAX} seconds")
        try:
            yield
        finally:
            self._turn.release()

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
        self._once.dispose()
        self._reader.dispose()
        self._writer.dispose()
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    @property
    def writer(self) -> Engine:
        """The writing engine; migrations need it bare."""
        return self._writer

    def _path(self) -> Path:
        return Path(self.url.database or "")

    def _require_file(self) -> None:
        if not self._path().exists():
            self.claim()
            with self._turn, self._writer.connect():
                pass


def is_outage(error: BaseException) -> bool:
    """Tell whether an error says that the database cannot be used, not that a statement is wrong.

    SQLite's driver reports a full disk and a misspelt table by one class.
    """
    if isinstance(error, DatabaseBusy | DatabaseNotReady):
        return True
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return (code & 0xFF) in _SQLITE_OUTAGES
    state = getattr(error.orig, "sqlstate", None) or ""
    return not state or state[:2] in ("08", "53") or state.startswith("57P")


def _lock_file(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock", mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DatabaseBusy(
            f"{path} is being written by another crmkit process; stop it first"
        ) from None
    return lock


def _sqlite_engine(url: URL, *, writes: bool, begins: bool = True) -> Engine:
    """Return an engine whose connections are set up for one of the two roles.

    Args:
        begins: whether statements are run in transactions.
    """
    if not url.database or url.database == ":memory:":
        raise SettingsError(
            "database_url: SQLite needs a file; in-memory databases hold one thread"
        )
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if writes else 16,
        max_overflow=0 if writes else 48,
        connect_args={"check_same_thread": False, "timeout": 5.0},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        pragmas = ["foreign_keys=ON", "busy_timeout=5000", "temp_store=MEMORY"]
        if writes:
            pragmas += [
                "journal_mode=WAL",
                "synchronous=FULL",
                "secure_delete=ON",
                "cache_size=-65536",
            ]
        else:
            pragmas += ["query_only=ON"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    if begins:
        event.listen(engine, "begin", begin)
    return engine


def _postgres_engine(url: URL, *, settings: str = _POSTGRES_OPTIONS, **options: Any) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            **{"pool_size": 8, "max_overflow": 24, "pool_pre_ping": True, **options},
            connect_args={
                "connect_timeout": 4,
                "options": settings,
                "keepalives_idle": 10,
                "tcp_user_timeout": 15000,
            },
        )
    except ModuleNotFoundError as error:
        raise SettingsError(
            "database_url: PostgreSQL needs its driver; install crmkit[postgres]"
        ) from error
