"""Finding rows by the names other systems gave them, any number in one small statement."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table
from sqlmodel import Session, SQLModel

from crmkit.bulk import Wire, table_of
from crmkit.driver_sql import execute


def rows_named(
    session: Session,
    model: type[SQLModel],
    columns: Sequence[str],
    key: tuple[str, str],
    names: Sequence[tuple[str, str]],
) -> Sequence[Wire]:
    """Return `columns` of the rows that one of `names` names, as the database gives them.

    All names travel as one parameter, so the statement is the same for one and for thousands.

    Args:
        key: two text columns with a unique index.
        names: pairs of their values.
    """
    if not names:
        return []
    connection = session.connection()
    sql = _select_named(table_of(model), tuple(columns), key, connection.dialect.name)
    if connection.dialect.name == "sqlite":
        values: tuple[Any, ...] = (orjson.dumps(names).decode(),)
    else:
        values = tuple(list(column) for column in zip(*names, strict=True))
    found: list[Wire] = execute(connection, sql, values).fetchall()
    return found


def read_id(value: Any) -> UUID:
    """Return an id that came straight from the database."""
    return value if isinstance(value, UUID) else UUID(value)


@lru_cache(maxsize=64)
def _select_named(
    table: Table, columns: tuple[str, ...], key: tuple[str, str], dialect: str
) -> str:
    if dialect == "sqlite":
        names = "SELECT value ->> 0, value ->> 1 FROM json_each(?)"
    else:
        names = "SELECT * FROM unnest(%s::text[], %s::text[])"
    return (
        f"SELECT {', '.join(map(_quote, columns))} FROM {_quote(table.name)} "  # noqa: S608 names are ours
        f"WHERE ({', '.join(map(_quote, key))}) IN ({names})"
    )


def _quote(name: str) -> str:
    return f'"{name}"'
