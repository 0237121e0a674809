"""The text of statements that write many rows; every name in them is ours."""

from functools import lru_cache
from typing import Literal

from sqlalchemy import Table, Uuid
from sqlalchemy.dialects import postgresql

Merge = Literal["add", "least", "greatest", "replace"]
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=512)
def all_in_one(statements: tuple[str, ...]) -> str:
    """Return one statement that does what several do."""
    parts = (f"w{number} AS ({sql})" for number, sql in enumerate(statements))
    return f"WITH {', '.join(parts)} SELECT"


@lru_cache(maxsize=256)
def sqlite_insert(table: Table, columns: tuple[str, ...]) -> str:
    """Return an INSERT of one row, with `?` for each value."""
    names = ", ".join(map(quoted, columns))
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({marks})"  # noqa: S608 names are ours


@lru_cache(maxsize=256)
def postgres_values(table: Table, columns: tuple[str, ...], count: int) -> str:
    """Return an INSERT of some rows, with `%s` for each value."""
    names = ", ".join(map(quoted, columns))
    row = ", ".join(f"%s::{_postgres_type(table, name)[1]}" for name in columns)
    rows = ", ".join([f"({row})"] * count)
    return f"INSERT INTO {quoted(table.name)} ({names}) VALUES {rows}"  # noqa: S608 names are ours


@lru_cache(maxsize=256)
def postgres_insert(table: Table, columns: tuple[str, ...]) -> str:
    """Return an INSERT of any number of rows, with `%s` for the values of each column."""
    names = ", ".join(map(quoted, columns))
    types = [_postgres_type(table, name) for name in columns]
    arrays = ", ".join(f"%s::{wire}[]" for wire, _ in types)
    aliases = [f"c{index}" for index in range(len(columns))]
    picked = ", ".join(f"u.{a}::{t}" for a, (_, t) in zip(aliases, types, strict=True))
    return (
        f"INSERT INTO {quoted(table.name)} ({names}) "  # noqa: S608 names are ours
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
def on_conflict(table: Table, merge: tuple[tuple[str, Merge], ...], dialect: str) -> str:
    """Return what an INSERT does about rows that have the same primary key."""
    name = quoted(table.name)
    least, greatest = ("min", "max") if dialect == "sqlite" else ("least", "greatest")
    changes = []
    for column, how in merge:
        held, new = f"{name}.{quoted(column)}", f"excluded.{quoted(column)}"
        if how == "add":
            value = f"{held} + {new}"
        elif how == "replace":
            value = new
        else:
            function = least if how == "least" else greatest
            value = f"{function}(coalesce({held}, {new}), coalesce({new}, {held}))"
        changes.append(f"{quoted(column)} = {value}")
    keys = ", ".join(quoted(key.name) for key in table.primary_key)
    return f" ON CONFLICT ({keys}) DO UPDATE SET {', '.join(changes)}"


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return f'"{name}"'
