"""The statements that fetch the rows of one level."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlakeyset.columns import parse_ob_clause
from sqlakeyset.paging import where_condition_for_page
from sqlalchemy import ColumnElement, FromClause, Select, func, literal, select
from sqlalchemy.engine.interfaces import Dialect

KEY = "_parent"
_RANK = "_rank"
_ROW = "_row"


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

    def all(self, limit: int, *, backwards: bool = False) -> Select[Any]:
        """Return the statement for the first rows, or the last ones, of all there are.

        Args:
            limit: most rows.
            backwards: take the last rows, last first.
        """
        # Where nothing but __typename is wanted, a row must still have a column.
        columns = self._labelled() or [literal(1).label(_ROW)]
        return (
            select(*columns)
            .select_from(self.rows)
            .where(*self.conditions)
            .order_by(*self._directed(backwards))
            .limit(limit)
        )

    def below(
        self,
        child: str,
        keys: Sequence[Any],
        per_parent: int | None,
        limit: int,
        *,
        backwards: bool = False,
    ) -> Select[Any]:
        """Return the statement for the rows of some parents, with the parent's key as `KEY`.

        Args:
            child: column that equals a parent's key.
            keys: the parents' keys.
            per_parent: most rows of each; None where there can only be one.
            limit: most rows in all.
            backwards: take the last rows of each, last first.
        """
        key, order = self.rows.c[child], self._directed(backwards)
        found = select(key.label(KEY), *self._labelled()).where(*self.conditions)
        if len(keys) == 1:
            most = limit if per_parent is None else min(per_parent, limit)
            return found.where(key == keys[0]).order_by(*order).limit(most)
        found = found.where(key.in_(keys))
        if per_parent is None:
            return found.limit(limit)
        rank = func.row_number().over(partition_by=key, order_by=order).label(_RANK)
        ranked = found.add_columns(rank).subquery()
        wanted = [column for column in ranked.c if column.name != _RANK]
        kept = select(*wanted).where(ranked.c[_RANK] <= per_parent)
        return kept.order_by(ranked.c[_RANK]).limit(limit)

    def start_behind(self, place: Sequence[Any], dialect: Dialect, *, backwards: bool) -> None:
        """Keep only the rows that lie behind a place in the order, or before it."""
        order = select(*(each for each, _ in self.order)).order_by(*self._directed(backwards))
        columns = parse_ob_clause(order)
        self.conditions.append(where_condition_for_page(columns, tuple(place), dialect))

    def count(self, child: str | None, keys: Sequence[Any]) -> Select[Any]:
        """Return the statement that counts all rows, or those of each parent."""
        if child is None:
            return select(func.count().label("n")).select_from(self.rows).where(*self.conditions)
        key = self.rows.c[child]
        return (
            select(key.label(KEY), func.count().label("n"))
            .where(key.in_(keys), *self.conditions)
            .group_by(key)
        )

    def _labelled(self) -> list[ColumnElement[Any]]:
        return [each.label(label) for label, each in self.columns.items()]

    def _directed(self, backwards: bool) -> list[ColumnElement[Any]]:
        return [each.desc() if down != backwards else each.asc() for each, down in self.order]


def by_parent(rows: Iterable[Mapping[str, Any]]) -> dict[Any, list[Mapping[str, Any]]]:
    """Group rows by the key of their parent, keeping their order."""
    grouped: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row[KEY], []).append(row)
    return grouped
