"""Statements handed to the driver itself.

For a statement of one small row SQLAlchemy's bookkeeping costs more than the database does.
Errors are raised as SQLAlchemy raises them, and who listens to its statements hears these, too.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session


def run_sql(session: Session, sql: str, *values: Any) -> Any:
    """Run one statement that both dialects know and return the driver's cursor.

    Args:
        sql: `?` stands for a value, and `IN ?ids` compares with any number of ids.
        values: in the order of the marks; a list of ids stands for `?ids`, instants are text.

    Raises:
        DBAPIError: the database refused it.
    """
    connection = session.connection()
    return execute(connection, *in_dialect(connection, sql, values))


def in_dialect(connection: Connection, sql: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return a statement and its values, given as for `run_sql`, as the driver takes them."""
    is_sqlite = connection.dialect.name == "sqlite"
    told = [
        (_json_of(each) if is_sqlite else [id_.hex for id_ in each])
        if isinstance(each, list)
        else each
        for each in values
    ]
    return _in_dialect(sql, is_sqlite=is_sqlite), told


@lru_cache(maxsize=256)
def _in_dialect(sql: str, *, is_sqlite: bool) -> str:
    if is_sqlite:
        return sql.replace("?ids", "(SELECT value FROM json_each(?))")
    return sql.replace("IN ?ids", "= ANY(%s::uuid[])").replace("?", "%s")


def _json_of(ids: list[UUID]) -> str:
    return orjson.dumps([each.hex for each in ids]).decode()


def execute(connection: Connection, sql: str, values: Sequence[Any]) -> Any:
    """Run one statement and return the driver's cursor.

    Args:
        values: in the order of the driver's marks, of types the driver itself takes.

    Raises:
        DBAPIError: the database refused it.
    """
    lent = connection.connection
    driver: Any = lent.dbapi_connection
    _tell(connection, sql, values, is_many=False)
    try:
        if connection.dialect.name == "postgresql":
            from crmkit import libpq_sql  # needs psycopg, which only PostgreSQL does

            given = libpq_sql.parameters(values)
            if given is not None and libpq_sql.in_transaction(driver):
                return libpq_sql.run(lent, sql, given)
        cursor = driver.cursor()
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
    _tell(connection, sql, rows, is_many=True)
    try:
        cursor.executemany(sql, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, rows, error) from error


def _told(connection: Connection, sql: str, values: Any, error: Exception) -> BaseException:
    driver: Any = connection.dialect.loaded_dbapi
    return DBAPIError.instance(sql, values, error, driver.Error, dialect=connection.dialect)


def _tell(connection: Connection, sql: str, values: Any, *, is_many: bool) -> None:
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, None, sql, values, None, is_many)
