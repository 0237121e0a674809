"""Statements handed to the driver itself.

For a statement of one small row SQLAlchemy's bookkeeping costs more than the database does.
Errors are raised as SQLAlchemy raises them, and who listens to its statements hears these, too.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def execute(connection: Connection, sql: str, values: Sequence[Any]) -> Any:
    """Run one statement and return the driver's cursor.

    Args:
        values: in the order of the driver's marks, of types the driver itself takes.

    Raises:
        DBAPIError: the database refused it.
    """
    cursor = connection.connection.cursor()
    _tell(connection, cursor, sql, values, is_many=False)
    try:
        cursor.execute(sql, values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, values, error) from error
    return cursor


def execute_many(connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run one statement once for each row.

    Raises:
        DBAPIError: the database refused one.
    """
    cursor = connection.connection.cursor()
    _tell(connection, cursor, sql, rows, is_many=True)
    try:
        cursor.executemany(sql, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, rows, error) from error


def _told(connection: Connection, sql: str, values: Any, error: Exception) -> BaseException:
    driver: Any = connection.dialect.loaded_dbapi
    return DBAPIError.instance(sql, values, error, driver.Error, dialect=connection.dialect)


def _tell(connection: Connection, cursor: Any, sql: str, values: Any, *, is_many: bool) -> None:
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, cursor, sql, values, None, is_many)
