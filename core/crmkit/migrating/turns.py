"""One migrating process at a time, in a database transaction that keeps everything or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from crmkit.database import Database
from crmkit.errors import DatabaseBusy, PluginError

_LOCK_KEY: Final = 0x63726D6B6974  # "crmkit"; advisory locks are numbers of one database
_WAIT_MINUTES: Final = 10


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """Open the transaction in which one plugin is migrated.

    Raises:
        DatabaseBusy: another process writes the SQLite file, or keeps migrating.
    """
    with database.turn(), database.writer.connect() as connection:
        opened = _sqlite if database.dialect == "sqlite" else _postgres
        with opened(connection):
            yield connection


def refuse_broken_references(connection: Connection, plugin: str) -> None:
    """Look for foreign keys that lead nowhere; SQLite does not while they are switched off.

    Raises:
        PluginError: there is one; it names the plugin that has just been migrated.
    """
    if connection.dialect.name != "sqlite":
        return
    orphan = connection.exec_driver_sql(
        'SELECT child.name, reference."table" FROM sqlite_master AS child, '
        "pragma_foreign_key_list(child.name) AS reference WHERE child.type = 'table' "
        'AND lower(reference."table") NOT IN '
        "(SELECT lower(name) FROM sqlite_master WHERE type = 'table')"
    ).first()
    if orphan is not None:
        raise PluginError(
            plugin, f"table {orphan[0]!r} would refer to {orphan[1]!r}, which is gone"
        )
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise PluginError(
            plugin, f"a row of table {broken[0]!r} would refer to a missing row of {broken[2]!r}"
        )


@contextmanager
def _sqlite(connection: Connection) -> Iterator[None]:
    # Rebuilding a table with foreign keys on deletes the rows that refer to it, and SQLite
    # ignores the switch inside a transaction.
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            yield
    finally:
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()


@contextmanager
def _postgres(connection: Connection) -> Iterator[None]:
    with connection.begin():
        for option in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {option} = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_MINUTES}min'")
        try:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        except OperationalError as error:
            raise DatabaseBusy(
                f"another crmkit process has been migrating for {_WAIT_MINUTES} minutes"
            ) from error
        # Waiting long for a table in use would make every query behind us wait, too.
        connection.exec_driver_sql("SET LOCAL lock_timeout TO DEFAULT")
        yield
