"""Many rows in few statements, on both databases, without an object per row.

Rows are tuples of wire values: integers, text, None, booleans; ids as `UUID.hex`, instants as
`wire_instant` gives them, days as ISO text, JSON as text. Both databases take these as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Connection, Table, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from crmkit.driver_sql import execute, execute_many

Wire = tuple[Any, ...]
Merge = Literal["add", "least", "greatest", "replace"]
_COPY_FROM = 200  # rows from which COPY beats one INSERT
_ARRAYS_FROM = 5  # rows from which arrays beat a list of values
_SQLITE_CHUNK = 5000
_TOGETHER = "written together"
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def table_of(model: type[SQLModel]) -> Table:
    """Return the SQLAlchemy table of a model."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


@contextmanager
def small_writes(session: Session, rows: int) -> Iterator[None]:
    """Let PostgreSQL do all that the block inserts and merges in one statement, at its end.

    The block must write each table once and read none of them.

    Args:
        rows: most rows of one table; where they are so many that they are copied, nothing is
            put together.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite" or rows >= _COPY_FROM:
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
        execute(connection, _all_in_one(tuple(sql for sql, _ in together)), values)


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
            execute_many(connection, _sqlite_insert(table_of(model), filled), part)
    elif len(rows) < _COPY_FROM:
        _insert_some(session, table_of(model), tuple(columns), rows)
    else:
        names = ", ".join(map(_quote, columns))
        copy_sql = f"COPY {_quote(table_of(model).name)} ({names}) FROM STDIN"
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
    clause = _on_conflict(table, tuple(merge.items()), connection.dialect.name)
    if connection.dialect.name == "sqlite":
        sql = _sqlite_insert(table, tuple(columns)) + clause
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
        sql = _postgres_values(table, columns, len(rows)) + clause
        values = [value for row in rows for value in row]
    else:
        sql = _postgres_insert(table, columns) + clause
        values = [list(column) for column in zip(*rows, strict=True)]
    together = session.info.get(_TOGETHER)
    if together is None:
        execute(session.connection(), sql, values)
    else:
        together.append((sql, values))


@lru_cache(maxsize=512)
def _all_in_one(statements: tuple[str, ...]) -> str:
    parts = (f"w{number} AS ({sql})" for number, sql in enumerate(statements))
    return f"WITH {', '.join(parts)} SELECT"


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


@lru_cache(maxsize=256)
def _sqlite_insert(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(_quote, columns))
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {_quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608 names are ours


@lru_cache(maxsize=256)
def _postgres_values(table: Table, columns: tuple[str, ...], count: int) -> str:
    names = ", ".join(map(_quote, columns))
    row = ", ".join(f"%s::{_postgres_type(table, name)[1]}" for name in columns)
    rows = ", ".join([f"({row})"] * count)
    return f"INSERT INTO {_quote(table.name)} ({names}) VALUES {rows}"  # noqa: S608 names are ours


@lru_cache(maxsize=256)
def _postgres_insert(table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(_quote, columns))
    types = [_postgres_type(table, name) for name in columns]
    arrays = ", ".join(f"%s::{wire}[]" for wire, _ in types)
    aliases = [f"c{index}" for index in range(len(columns))]
    picked = ", ".join(f"u.{a}::{t}" for a, (_, t) in zip(aliases, types, strict=True))
    return (
        f"INSERT INTO {_quote(table.name)} ({names}) "  # noqa: S608 names are ours
        f"SELECT {picked} FROM unnest({arrays}) AS u({', '.join(aliases)})"
    )


def _postgres_type(table: Table, column: str) -> tuple[str, str]:
    """Return the type the parameter array has and the type the column has."""
    column_type = table.c[column].type
    name = column_type.compile(_POSTGRESQL)
    if isinstance(column_type, Uuid) or name.startswith(("TIMESTAMP", "DATE", "JSON")):
        return "text", name
    return name, name


@lru_cache(maxsize=256)
def _on_conflict(table: Table, merge: tuple[tuple[str, Merge], ...], dialect: str) -> str:
    name = _quote(table.name)
    least, greatest = ("min", "max") if dialect == "sqlite" else ("least", "greatest")
    changes = []
    for column, how in merge:
        held, new = f"{name}.{_quote(column)}", f"excluded.{_quote(column)}"
        if how == "add":
            value = f"{held} + {new}"
        elif how == "replace":
            value = new
        else:
            function = least if how == "least" else greatest
            value = f"{function}(coalesce({held}, {new}), coalesce({new}, {held}))"
        changes.append(f"{_quote(column)} = {value}")
    keys = ", ".join(_quote(key.name) for key in table.primary_key)
    return f" ON CONFLICT ({keys}) DO UPDATE SET {', '.join(changes)}"


def _quote(name: str) -> str:
    return f'"{name}"'
