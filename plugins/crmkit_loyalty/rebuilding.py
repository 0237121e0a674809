"""How accounts, lots and allocations follow from entries."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Select, case, func, select
from sqlmodel import Session

from crmkit import Difference, Rebuilder, differences, insert_rows, new_id, table_of, wire_instant
from crmkit_loyalty.checks import OF_LOTS, violations
from crmkit_loyalty.lifetime import Lifetime
from crmkit_loyalty.lot_rows import (
    ALLOCATION_COLUMNS,
    LOT_COLUMNS,
    allocation_rows,
    lot_row,
)
from crmkit_loyalty.lots import Holding, open_lot
from crmkit_loyalty.models import Allocation, EntryKind, LedgerEntry, Lot, LoyaltyAccount
from crmkit_loyalty.restarting import restart
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
            lambda session: rebuild_lots(session, settings.lifetime()),
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
    """Give each place where lots and allocations do not add up to the entries, and whose it is."""
    for check, customer, key, stored, least, most in violations(session, *OF_LOTS):
        expected = {"points": least} if least == most else {"at least": least, "most": most}
        yield customer, Difference(check.table.name, str(key), {"points": stored}, expected)


def rebuild_lots(session: Session, lifetime: Lifetime) -> int:
    """Post the entries of every customer whose lots do not add up again; returns rows written.

    Lots that are there keep their dates.
    """
    broken = sorted({customer for customer, _ in lot_differences(session)})
    return sum(_replay(session, customer, lifetime) for customer in broken)


def _replay(session: Session, customer: UUID, lifetime: Lifetime) -> int:
    wanted = select(_lot.c.entry_id, _lot.c.active_from, _lot.c.expires_at)
    dates = {
        row[0]: row[1:] for row in session.execute(wanted.where(_lot.c.customer_id == customer))
    }
    for table in (_allocation, _lot):
        session.execute(sa.delete(table).where(table.c.customer_id == customer))
    first = case((_entry.c.kind == EntryKind.EXPIRY, _entry.c.source_id),
                 else_=_entry.c.reverses_entry_id)  # fmt: skip
    columns = (_entry.c.id, _entry.c.points_delta, _entry.c.occurred_at, first)
    entries = select(*columns).where(_entry.c.customer_id == customer).order_by(_entry.c.id)
    holding, lots, uses = Holding(), [], []
    for id_, points, at, lot_of in session.execute(entries):
        if points < 0:
            uses += holding.debit(id_, -points, lot_of)
            continue
        active_from, expires_at = dates.get(id_, (at, lifetime.expires_at(at)))
        lot = open_lot(new_id(), id_, points, active_from, expires_at)
        lots.append(lot_row(lot, customer, active_from and wire_instant(active_from)))
        uses += holding.credit(lot)
    insert_rows(session, Lot, LOT_COLUMNS, lots)
    if lifetime.restarts:
        restart(session, [customer], lifetime)
    rows = allocation_rows(customer, uses)
    insert_rows(session, Allocation, ALLOCATION_COLUMNS, rows)
    return len(lots) + len(rows)
