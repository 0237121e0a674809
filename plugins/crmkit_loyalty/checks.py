"""What must hold in the points book, as statements over whole tables that find where it does not.

Each is one pass over its tables, so that a million entries take seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, Table, case, func, select
from sqlmodel import Session

from crmkit import table_of
from crmkit_loyalty.models import Allocation, LedgerEntry, Lot, LoyaltyAccount

_account, _entry = table_of(LoyaltyAccount), table_of(LedgerEntry)
_lot, _allocation = table_of(Lot), table_of(Allocation)


@dataclass(frozen=True, slots=True)
class Check:
    """Something that holds for every row of a table.

    Attributes:
        name: what holds, as a sentence.
        table: whose rows are looked at.
        statement: selects, where it does not hold: the customer; the id of the entry, lot or
            customer concerned; the stored figure; the least and the greatest that would be right.
    """

    name: str
    table: Table
    statement: Select[Any]


class Violation(NamedTuple):
    """A figure that is not what the entries say; the names are those of `Check.statement`."""

    check: Check
    customer_id: UUID
    key: UUID
    stored: int
    least: int
    most: int


def violations(session: Session, *checks: Check) -> Iterator[Violation]:
    """Give what some checks find, in their order."""
    for check in checks:
        for customer, key, *figures in session.execute(check.statement):
            yield Violation(check, customer, key, *map(int, figures))


def _sums() -> Select[Any]:
    account = _account.c.balance - _account.c.debt
    owner, total, net = _beside_entries(select(*_owner(_account), account))
    found = select(owner[0], owner[0], total, net, net)
    return found.group_by(*owner).having(total != net)


def _left() -> Select[Any]:
    used = func.sum(_allocation.c.points).label("points")
    by_lot = select(_allocation.c.lot_id, used).group_by(_allocation.c.lot_id).subquery()
    of_lots = func.sum(_lot.c.points - func.coalesce(by_lot.c.points, 0))
    left = (
        select(*_owner(_lot), of_lots)
        .outerjoin_from(_lot, by_lot, by_lot.c.lot_id == _lot.c.id)
        .group_by(*_owner(_lot))
    )
    owner, total, net = _beside_entries(left)
    balance = _at_least_0(net)
    found = select(owner[0], owner[0], total, balance, balance)
    return found.group_by(*owner).having(total != balance)


def _owner(table: Table) -> tuple[Any, Any]:
    return table.c.customer_id, table.c.point_kind


def _beside_entries(rows: Select[Any]) -> tuple[tuple[Any, Any], Any, Any]:
    """Return account, sum of what some rows hold, and sum of the entries, to be grouped."""
    # Each table is summed by itself: sorting all their rows together takes twice as long.
    both = sa.union_all(
        select(
            *_owner(_entry), sa.literal(0).label("held"), func.sum(_entry.c.points_delta)
        ).group_by(*_owner(_entry)),
        rows.add_columns(sa.literal(0)),
    ).subquery()
    customer, kind, held, delta = both.c
    return (customer, kind), func.sum(held), func.sum(delta)


def _at_least_0(points: ColumnElement[int]) -> ColumnElement[int]:
    return case((points > 0, points), else_=0)


def _running() -> Select[Any]:
    net = func.sum(_entry.c.points_delta).over(
        partition_by=_owner(_entry), order_by=_entry.c.id, rows=(None, 0)
    )
    columns = (_entry.c.customer_id, _entry.c.id, _entry.c.balance_after, net.label("net"))
    book = select(*columns).subquery().c
    due = _at_least_0(book.net)
    found = select(book.customer_id, book.id, book.balance_after, due, due)
    return found.where(book.balance_after != due)


def _opened() -> Select[Any]:
    """Lots against their entries; that none is missing shows in what is left."""
    due = case((_lot.c.customer_id == _entry.c.customer_id, _entry.c.points_delta), else_=0)
    return (
        select(_lot.c.customer_id, _entry.c.id, _lot.c.points, due, due)
        .join_from(_lot, _entry, _entry.c.id == _lot.c.entry_id)
        .where(_lot.c.points != due)
    )


def _used(
    of: Table, by: ColumnElement[UUID], least: ColumnElement[int], most: ColumnElement[int]
) -> Select[Any]:
    """Select the lots, or the entries, with less or more allocated to them than they can have."""
    points = func.sum(_allocation.c.points).label("points")
    used = select(by.label("id"), points).group_by(by).subquery().c
    return select(of.c.customer_id, of.c.id, used.points, least, most).where(
        of.c.id == used.id, ~used.points.between(least, most)
    )


SUMS = Check("an account is the sum of its entries", _account, _sums())
RUNNING = Check("a balance after an entry is the sum up to it", _entry, _running())
OF_LOTS = (
    Check("a lot has the points of the entry that opened it", _lot, _opened()),
    Check("a lot gives from none to all of its points", _lot,
          _used(_lot, _allocation.c.lot_id, sa.literal(0), _lot.c.points)),
    Check("an entry takes at most its points from lots, or gives them back", _allocation,
          _used(_entry, _allocation.c.entry_id, -_at_least_0(_entry.c.points_delta),
                _at_least_0(-_entry.c.points_delta))),
    Check("what is left in lots is the balance, what is not covered the debt", _allocation,
          _left()),
)  # fmt: skip
