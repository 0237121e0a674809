"""How accounts, lots and allocations follow from entries."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, Table, case, func, select
from sqlmodel import Session

from crmkit import Difference, Rebuilder, differences, insert_rows, new_id, table_of, wire_instant
from crmkit_loyalty.book import (
    ALLOCATION_COLUMNS,
    LOT_COLUMNS,
    allocation_rows,
    lot_row,
    months_later,
)
from crmkit_loyalty.lots import Holding, open_lot
from crmkit_loyalty.models import Allocation, LedgerEntry, Lot, LoyaltyAccount
from crmkit_loyalty.settings import LoyaltySettings

_account, _entry = table_of(LoyaltyAccount), table_of(LedgerEntry)
_lot, _allocation = table_of(Lot), table_of(Allocation)


def rebuilders(settings: LoyaltySettings) -> Sequence[Rebuilder]:
    """Return how the points book is checked and mended."""
    return (
        Rebuilder("points accounts", check_accounts, rebuild_accounts),
        Rebuilder(
            "points lots",
            lambda session: [found for _, found in lot_differences(session)],
            lambda session: rebuild_lots(session, settings.lifetime_months),
        ),
    )


def _sums() -> Select[tuple[object, ...]]:
    """The definition of an account: the sum of its entries; an account may have none yet."""
    owners = sa.union(select(_account.c.customer_id), select(_entry.c.customer_id)).subquery()
    net = func.coalesce(func.sum(_entry.c.points_delta), 0).cast(sa.BigInteger)
    return (
        select(
            owners.c.customer_id,
            case((net > 0, net), else_=0).label("balance"),
            case((net < 0, -net), else_=0).label("debt"),
            # as text, because PostgreSQL before 18 has no greatest of ids
            sa.cast(func.max(sa.cast(_entry.c.id, sa.String)), sa.Uuid).label("last_entry_id"),
        )
        .outerjoin(_entry, _entry.c.customer_id == owners.c.customer_id)
        .group_by(owners.c.customer_id)
    )


def check_accounts(session: Session) -> list[Difference]:
    """Return every account that is not the sum of its entries."""
    return differences(session, LoyaltyAccount, _sums())


def rebuild_accounts(session: Session) -> int:
    """Make every account the sum of its entries; returns how many there are."""
    session.execute(sa.delete(_account))
    columns = ["customer_id", "balance", "debt", "last_entry_id"]
    session.execute(sa.insert(_account).from_select(columns, _sums()))
    return session.scalar(select(func.count()).select_from(_account)) or 0


def lot_differences(session: Session) -> Iterator[tuple[UUID, Difference]]:
    """Give each place where lots and allocations do not add up to the entries, with the customer.

    An entry that adds points has lots of exactly as many; lots are used from 0 to all of their
    points; an entry takes at most its points; and what is left in the lots is the balance.
    """
    for statement, table in (
        (_lots_of_entries(), _lot.name),
        (_uses_of_lots(), _allocation.name),
        (_uses_by_entries(), _allocation.name),
        (_left_in_lots(), _allocation.name),
    ):
        for customer, key, stored, least, most in session.execute(statement):
            expected = {"points": int(least)} if least == most else {"at least": 0, "most": most}
            yield customer, Difference(table, str(key), {"points": int(stored)}, expected)


def _added() -> ColumnElement[int]:
    return case((_entry.c.points_delta > 0, _entry.c.points_delta), else_=0)


def _total(of: Table, *where: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(select(func.sum(of.c.points)).where(*where).scalar_subquery(), 0)


def _lots_of_entries() -> Select[Any]:
    same = (_lot.c.customer_id == _entry.c.customer_id, _lot.c.entry_id == _entry.c.id)
    stored = _total(_lot, *same)
    return select(_entry.c.customer_id, _entry.c.id, stored, _added(), _added()).where(
        stored != _added()
    )


def _uses_of_lots() -> Select[Any]:
    stored = _total(_allocation, _allocation.c.lot_id == _lot.c.id)
    return select(_lot.c.customer_id, _lot.c.id, stored, sa.literal(0), _lot.c.points).where(
        ~stored.between(0, _lot.c.points)
    )


def _uses_by_entries() -> Select[Any]:
    stored = _total(_allocation, _allocation.c.entry_id == _entry.c.id)
    most = _added() - _entry.c.points_delta
    return select(_entry.c.customer_id, _entry.c.id, stored, sa.literal(0), most).where(
        ~stored.between(0, most)
    )


def _left_in_lots() -> Select[Any]:
    sums = _sums().subquery()
    left = _total(_lot, _lot.c.customer_id == sums.c.customer_id) - _total(
        _allocation, _allocation.c.customer_id == sums.c.customer_id
    )
    return select(
        sums.c.customer_id, sums.c.customer_id, left, sums.c.balance, sums.c.balance
    ).where(left != sums.c.balance)


def rebuild_lots(session: Session, lifetime_months: int | None) -> int:
    """Post the entries of every customer whose lots do not add up again; returns rows written.

    Lots that are there keep their dates.
    """
    broken = sorted({customer for customer, _ in lot_differences(session)})
    return sum(_replay(session, customer, lifetime_months) for customer in broken)


def _replay(session: Session, customer: UUID, lifetime_months: int | None) -> int:
    wanted = select(_lot.c.entry_id, _lot.c.active_from, _lot.c.expires_at)
    dates = {
        row[0]: row[1:] for row in session.execute(wanted.where(_lot.c.customer_id == customer))
    }
    for table in (_allocation, _lot):
        session.execute(sa.delete(table).where(table.c.customer_id == customer))
    columns = (_entry.c.id, _entry.c.points_delta, _entry.c.occurred_at, _entry.c.reverses_entry_id)
    entries = select(*columns).where(_entry.c.customer_id == customer).order_by(_entry.c.id)
    holding, lots, uses = Holding(), [], []
    for id_, points, at, reverses in session.execute(entries):
        if points < 0:
            uses += holding.debit(id_, -points, reverses)
            continue
        until = months_later(at, lifetime_months) if lifetime_months else None
        active_from, expires_at = dates.get(id_, (at, until))
        lot = open_lot(new_id(), id_, points, active_from, expires_at)
        lots.append(lot_row(lot, customer, active_from and wire_instant(active_from)))
        uses += holding.credit(lot)
    insert_rows(session, Lot, LOT_COLUMNS, lots)
    rows = allocation_rows(customer, uses)
    insert_rows(session, Allocation, ALLOCATION_COLUMNS, rows)
    return len(lots) + len(rows)
