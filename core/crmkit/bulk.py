"""Many rows in few statements, on both databases, without an object per row.

Rows are tuples of wire values: integers, text, None, booleans; ids as `UUID.hex`, instants as
`wire_instant` gives them, days as ISO text, JSON as text. Both databases take these as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from crmkit.bulk_sql import (
    Merge,
    all_in_one,
    on_conflict,
    postgres_insert,
    postgres_values,
    quoted,
    sqlite_insert,
)
from crmkit.driver_sql import execute, execute_many, in_dialect, run_sql

Wire = tuple[Any, ...]
_COPY_FROM = 200  # rows from which COPY beats one INSERT
_ARRAYS_FROM = 5  # rows from which arrays beat a list of values
_SQLITE_CHUNK = 5000
_TOGETHER = "written together"


def table_of(model: type[SQLModel]) -> Table:
    """Return the SQLAlchemy table of a model."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


@contextmanager
def small_writes(session: Session, rows: int) -> Iterator[None]:
    """Let PostgreSQL do all that the block writes by this module in one statement, at its end.

    The block must write each row once and read none of them. A block inside another is part of it.

    Args:
        rows: most rows of one table; where they are so many that they are copied, nothing is
            put together.
    """
    connection = session.connection()
    is_inside = _TOGETHER in session.info
    if connection.dialect.name == "sqlite" or rows >= _COPY_FROM or is_inside:
        yield
        return
    together: list[tuple[str, list[Any]]] = []
    session.info[_TOGETHER] = together
    try:
        yield
    finally:
        del session.info[_TOGETHER]
    if together:
        values = [value for _, some in together for value in some]
        execute(connection, all_in_one(tuple(sql for sql, _ in together)), values)


def write_sql(session: Session, sql: str, *values: Any) -> None:
    """Run a statement that writes, as `run_sql` takes it, at once or together with others.

    Raises:
        DBAPIError: the database refused it.
    """
    together = session.info.get(_TOGETHER)
    if together is None:
        run_sql(session, sql, *values)
    else:
        together.append(in_dialect(session.connection(), sql, values))


def insert_rows(
    session: Session, model: type[SQLModel], columns: Sequence[str], rows: Sequence[Wire]
) -> None:
    """Insert `rows`, whose values stand in the order of `columns`; any clash raises."""
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        for start in range(0, len(rows), _SQLITE_CHUNK):
            part = rows[start : start + _SQLITE_CHUNK]
            filled, part = _without_empty_columns(table_of(model), tuple(columns), part)
            execute_many(connection, sqlite_insert(table_of(model), filled), part)
    elif len(rows) < _COPY_FROM:
        _insert_some(session, table_of(model), tuple(columns), rows)
    else:
        names = ", ".join(map(quoted, columns))
        copy_sql = f"COPY {quoted(table_of(model).name)} ({names}) FROM STDIN"
        _copy(connection, copy_sql, rows)


def merge_rows(
    session: Session,
    model: type[SQLModel],
    columns: Sequence[str],
    rows: Sequence[Wire],
    merge: Mapping[str, Merge],
) -> None:
    """Insert `rows`, or fold them into the rows that have the same primary key.

    Args:
        merge: for each column that changes, how: `add`, `least`, `greatest` (both ignore nulls)
            or `replace`. The other columns keep what they hold.
    """
    if not rows:
        return
    connection = session.connection()
    table = table_of(model)
    clause = on_conflict(table, tuple(merge.items()), connection.dialect.name)
    if connection.dialect.name == "sqlite":
        sql = sqlite_insert(table, tuple(columns)) + clause
        execute_many(connection, sql, rows)
    else:
        _insert_some(session, table, tuple(columns), rows, clause)


def _copy(connection: Connection, sql: str, rows: Sequence[Wire]) -> None:
    driver: Any = connection.dialect.dbapi
    try:
        with connection.connection.cursor().copy(sql) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        # COPY goes past SQLAlchemy; a clash must not be told otherwise than by an INSERT.
        raise DBAPIError.instance(sql, None, error, driver.Error) from error


def _insert_some(
    session: Session, table: Table, columns: tuple[str, ...], rows: Sequence[Wire], clause: str = ""
) -> None:
    """Insert rows into a PostgreSQL table, at once or together with others."""
    values: list[Any]
    if len(rows) < _ARRAYS_FROM:
        sql = postgres_values(table, columns, len(rows)) + clause
        values = [value for row in rows for value in row]
    else:
        sql = postgres_insert(table, columns) + clause
        values = [list(column) for column in zip(*rows, strict=True)]
    together = session.info.get(_TOGETHER)
    if together is None:
        execute(session.connection(), sql, values)
    else:
        together.append((sql, values))


def _without_empty_columns(
    table: Table, columns: tuple[str, ...], rows: Sequence[Wire]
) -> tuple[tuple[str, ...], Sequence[Wire]]:
    """Leave out columns that are null in every row: sqlite3 binds a null slower than a text."""
    empty = {
        at
        for at, name in enumerate(columns)
        if rows[0][at] is None
        and table.c[name].server_default is None
        and all(row[at] is None for row in rows)
    }
    kept = [at for at in range(len(columns)) if at not in empty]
    if not empty or len(kept) < 2:
        return columns, rows
    return tuple(columns[at] for at in kept), list(map(itemgetter(*kept), rows))
