"""How connections to either kind of database are set up."""

import os
import sqlite3
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from crmkit.errors import SettingsError
from crmkit.shared_connection import SharedConnection

POSTGRES_OPTIONS = (
    "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000"
)


def sqlite_engine(url: URL, *, writes: bool, begins: bool = True) -> Engine:
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
        connect_args={
            "check_same_thread": False,
            "timeout": 5.0,
            "factory": SharedConnection if writes else sqlite3.Connection,
        },
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

    def begin(connection: Connection) -> None:
        group = connection.get_execution_options().get("group")
        if group is not None:
            group.begin(connection)
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    if begins:
        event.listen(engine, "begin", begin)
    if writes:
        event.listen(engine, "do_connect", _keep_private)
    return engine


def _keep_private(_dialect: object, _record: object, addresses: list[str], _: object) -> None:
    """Let nobody but the owner read the file, which SQLite would make with the usual mode.

    The files beside it get the mode of the file itself, so it must be right before they are made.
    """
    path = addresses[0]
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    for each in (path, f"{path}-wal", f"{path}-shm"):
        try:
            found = os.stat(each)
        except FileNotFoundError:
            continue
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            os.chmod(each, found.st_mode & 0o700)


def postgres_engine(url: URL, *, settings: str = POSTGRES_OPTIONS, **options: Any) -> Engine:
    """Return an engine with a pool of connections.

    Args:
        settings: command-line options of the server, for each connection.
        options: of SQLAlchemy's engine, on top of the usual ones.
    """
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            **{"pool_size": 8, "max_overflow": 24, "pool_pre_ping": True, **options},
            # JSONB writes large floats in full; json.loads would make integers of them
            json_deserializer=orjson.loads,
            connect_args={
                "connect_timeout": 4,
                # psycopg would now and then drop statements that are prepared past its cursors
                "prepare_threshold": None,
                "options": settings,
                "keepalives_idle": 10,
                "tcp_user_timeout": 15000,
            },
        )
    except ModuleNotFoundError as error:
        raise SettingsError(
            "database_url: PostgreSQL needs its driver; install crmkit[postgres]"
        ) from error
