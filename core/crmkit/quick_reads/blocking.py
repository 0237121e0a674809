"""Reads of one statement whose one value is text, by a thread that waits for it.

SQLAlchemy lends the connection; the statement goes to the driver itself, prepared by name. Who
listens to SQLAlchemy's statements hears these, too.
"""

from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError


def read_text(reader: Engine, sql: str, values: Any) -> str:
    """Return the one value of a statement.

    Args:
        reader: gives connections that are set up for reading, without transactions.
        sql: as SQLAlchemy's driver for the database takes it.
        values: its parameters, as the driver takes them.

    Raises:
        DBAPIError: the database refused it or could not be reached; `connection_invalidated` tells
            whether the connection was lost.
    """
    driver: Any = reader.dialect.loaded_dbapi
    try:
        lent = reader.raw_connection()
    except driver.Error as error:
        raise DBAPIError.instance(
            sql, values, error, driver.Error, dialect=reader.dialect
        ) from error
    for listener in reader.dispatch.before_cursor_execute:
        listener(None, None, sql, values, None, False)
    read = _of_sqlite if reader.dialect.name == "sqlite" else _of_postgres
    try:
        return read(lent, sql, values)
    except driver.Error as error:
        is_lost = reader.dialect.is_disconnect(error, lent.dbapi_connection, None)
        if is_lost:
            lent.invalidate(error)
        raise DBAPIError.instance(
            sql, values, error, driver.Error, connection_invalidated=is_lost, dialect=reader.dialect
        ) from error
    finally:
        lent.close()


def _of_sqlite(lent: PoolProxiedConnection, sql: str, values: Any) -> str:
    connection: Any = lent.driver_connection
    return str(connection.execute(sql, values).fetchone()[0])


def _of_postgres(lent: PoolProxiedConnection, sql: str, values: Any) -> str:
    from crmkit.prepared import run_prepared  # both need psycopg, which only PostgreSQL does
    from crmkit.quick_reads.statements import STATEMENTS

    connection: Any = lent.driver_connection
    statement = STATEMENTS.of(sql)
    texts, types = statement.encoded(values, connection)
    found = run_prepared(lent, sql, statement.numbered, texts, types).get_value(0, 0)
    return (found or b"").decode()
