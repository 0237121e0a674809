"""The rows of one level of a plan, as a subquery of exactly the columns it needs."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Subquery, Table, func, literal_column, select
from sqlalchemy.sql.selectable import Alias

from crmkit_schema.context import RequestContext
from crmkit_schema.engine.selecting import Choice
from crmkit_schema.levels import level_of, want
from crmkit_schema.sources import Mapped
from crmkit_schema.statements import Level

RANK = "_rank"
TOTAL = "_total"
PLACE = "_place"


class PlanLevel:
    """One level: its conditions, its order, and the subquery of its rows.

    Attributes:
        level: what the reference executor would fetch.
    """

    def __init__(self, cls: type, numbers: "count[int]", context: RequestContext) -> None:
        self.cls, self._numbers, self._allows = cls, numbers, context.allows
        self.level: Level = level_of(cls)

    def want(self, choice: Choice) -> None:
        """Ask for the columns that a selection needs."""
        want(self.level, choice.selection, self._allows)

    def tie(self, child: str, parents: FromClause, parent: str) -> None:
        """Keep the rows that belong to the parent of the query around."""
        self.level.conditions.append(self.level.rows.c[child] == parents.c[parent])

    def place(self) -> list[str]:
        """Ask for the values of the order's columns and return their labels."""
        labels = [f"{PLACE}{position}" for position in range(len(self.level.order))]
        for label, (expression, _) in zip(labels, self.level.order, strict=True):
            self.level.columns[label] = expression
        return labels

    def rows(self, limit: Any = None, *, backwards: bool = False) -> Subquery:
        """Return the rows, in order and limited, or as they come."""
        level = self.level
        columns = [each.label(label) for label, each in level.columns.items()]
        # Where nothing but __typename is wanted, a row must still have a column.
        columns = columns or [next(iter(level.rows.c)).label("_any")]
        found = select(*columns).select_from(level.rows).where(*level.conditions)
        if isinstance(limit, int):
            limit = literal_column(str(limit))
        if limit is not None:
            found = found.order_by(*_directed(level.order, backwards)).limit(limit)
        return found.correlate_except(level.rows).subquery(self._name())

    def ranked(self, rows: Subquery, backwards: bool) -> Subquery:
        """Return limited rows with their position and how many there are."""
        order = _directed(self._placed(rows), backwards)
        rank = func.row_number().over(order_by=order).label(RANK)
        found = select(*rows.c, rank, func.count().over().label(TOTAL))
        return found.correlate_except(rows).subquery(self._name())

    def turned(self, rows: Subquery, limit: Any) -> Subquery:
        """Return rows that were taken from the end in the order of the list again."""
        order = _directed(self._placed(rows), False)
        found = select(*rows.c).order_by(*order).limit(limit)
        return found.correlate_except(rows).subquery(self._name())

    def counted(self) -> Any:
        """Return the number of all rows."""
        level = self.level
        found = select(func.count()).select_from(level.rows).where(*level.conditions)
        return found.correlate_except(level.rows).scalar_subquery()

    def is_certain(self, source: Mapped, name: str) -> bool:
        """Tell whether the database itself keeps a column from being null."""
        rows = self.level.rows
        if source.sql is not None or not isinstance(rows, Alias):
            return False
        return isinstance(rows.element, Table) and not rows.element.c[name].nullable

    def _placed(self, rows: Subquery) -> list[tuple[ColumnElement[Any], bool]]:
        return [
            (rows.c[f"{PLACE}{position}"], down)
            for position, (_, down) in enumerate(self.level.order)
        ]

    def _name(self) -> str:
        return f"q{next(self._numbers)}"


def _directed(
    order: Sequence[tuple[ColumnElement[Any], bool]], backwards: bool
) -> list[ColumnElement[Any]]:
    return [each.desc() if down != backwards else each.asc() for each, down in order]
