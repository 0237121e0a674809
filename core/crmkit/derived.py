"""Comparing a derived table with the query that defines it, inside the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, except_, select
from sqlmodel import Session, SQLModel

from crmkit.bulk import table_of
from crmkit.contributions import Difference


def differences(
    session: Session, model: type[SQLModel], expected: Select[tuple[object, ...]]
) -> list[Difference]:
    """Return the rows of `model`'s table that are not what `expected` gives.

    Args:
        expected: selects columns that have the names of the table's; those it leaves out are
            not compared.
    """
    table = table_of(model)
    names = [column.name for column in expected.selected_columns]
    stored = select(*(table.c[name] for name in names))
    keys = [key.name for key in table.primary_key]
    extra = _by_key(session, except_(stored, expected), names, keys)
    wanted = _by_key(session, except_(expected, stored), names, keys)
    return [
        Difference(table.name, "/".join(map(str, key)), extra.get(key), wanted.get(key))
        for key in sorted(extra.keys() | wanted.keys(), key=str)
    ]


def _by_key(
    session: Session, statement: Any, names: list[str], keys: list[str]
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    rows = [dict(zip(names, row, strict=True)) for row in session.execute(statement)]
    return {tuple(row[key] for key in keys): row for row in rows}
