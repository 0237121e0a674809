"""The statements that fetch the rows of one level."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlakeyset.columns import parse_ob_clause
from sqlakeyset.paging import where_condition_for_page
from sqlalchemy import ColumnElement, FromClause, Select, func, select
from sqlalchemy.engine.interfaces import Dialect

from crmkit_schema.connections import Page

KEY = "_parent"
_RANK = "_rank"


@dataclass(slots=True)
class Level:
    """What is wanted of the rows of one type.

    Attributes:
        rows: alias of the source.
        columns: for each label, the expression that is wanted under it.
        conditions: all must hold.
        order: expressions, with whether they descend.
    """

    rows: FromClause
    columns: dict[str, ColumnElement[Any]] = field(default_factory=dict)
    conditions: list[ColumnElement[bool]] = field(default_factory=list)
    order: list[tuple[ColumnElement[Any], bool]] = field(default_factory=list)

    def want(self, names: Iterable[str]) -> None:
        """Add plain columns."""
        for name in names:
            self.columns.setdefault(name, self.rows.c[name])

    def sort_by(self, names: Sequence[str]) -> None:
        """Add plain columns to the order, `-` in front for descending."""
        for name in names:
            self.order.append((self.rows.c[name.lstrip("-")], name.startswith("-")))

    def statement(
        self, child: str | None, keys: Sequence[Any], limit: int | None, backwards: bool = False
    ) -> Select[Any]:
        """Return the statement for the rows of some parents.

        Args:
            child: column that equals a parent's key; None for all rows.
            keys: the parents' keys.
            limit: most rows per parent; None for all.
            backwards: take the last rows instead of the first.
        """
        order = [_directed(each, down != backwards) for each, down in self.order]
        labelled = [each.label(label) for label, each in self.columns.items()]
        if child is None:
            return select(*labelled).where(*self.conditions).order_by(*order).limit(limit)
        key = self.rows.c[child]
        statement = select(key.label(KEY), *labelled).where(*self.conditions)
        if len(keys) == 1:
            return statement.where(key == keys[0]).order_by(*order).limit(limit)
        statement = statement.where(key.in_(keys))
        if limit is None:
            return statement.order_by(*order)
        rank = func.row_number().over(partition_by=key, order_by=order).label(_RANK)
        ranked = statement.add_columns(rank).subquery()
        wanted = [column for column in ranked.c if column.name != _RANK]
        return select(*wanted).where(ranked.c[_RANK] <= limit).order_by(ranked.c[_RANK])

    def start_behind(self, page: Page, dialect: Dialect) -> None:
        """Keep only the rows behind the page's place."""
        if page.place is None:
            return
        order = [_directed(each, down != page.backwards) for each, down in self.order]
        columns = parse_ob_clause(select(*(each for each, _ in self.order)).order_by(*order))
        self.conditions.append(where_condition_for_page(columns, page.place, dialect))

    def count(self, child: str | None, keys: Sequence[Any]) -> Select[Any]:
        """Return the statement that counts the rows of each parent."""
        if child is None:
            return select(func.count().label("n")).select_from(self.rows).where(*self.conditions)
        key = self.rows.c[child]
        return (
            select(key.label(KEY), func.count().label("n"))
            .where(key.in_(keys), *self.conditions)
            .group_by(key)
        )


def _directed(expression: ColumnElement[Any], down: bool) -> ColumnElement[Any]:
    return expression.desc() if down else expression.asc()


def by_parent(rows: Iterable[Mapping[str, Any]]) -> dict[Any, list[Mapping[str, Any]]]:
    """Group rows by the key of their parent, keeping their order."""
    grouped: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row[KEY], []).append(row)
    return grouped


Rows = Callable[[Select[Any]], list[Mapping[str, Any]]]
