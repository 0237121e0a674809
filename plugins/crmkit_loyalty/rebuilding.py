"""How accounts, lots and allocations follow from entries."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Select, case, func, select
from sqlmodel import Session

from crmkit import Difference, Rebuilder, differences, insert_rows, table_of
from crmkit_loyalty.blocking import is_blocked
from crmkit_loyalty.blocking_models import PointsBlock
from crmkit_loyalty.book_rows import (
    ACCOUNT_COLUMNS,
    ALLOCATION_COLUMNS,
    LOT_COLUMNS,
    allocation_rows,
    lot_row,
)
from crmkit_loyalty.checks import OF_LOTS, violations
from crmkit_loyalty.merging import merged_into
from crmkit_loyalty.merging_models import PointsMerge
from crmkit_loyalty.models import Allocation, EntryKind, LedgerEntry, Lot, LoyaltyAccount
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.replaying import Replay
from crmkit_loyalty.restarting import restart
from crmkit_loyalty.settings import LoyaltySettings

_account, _entry = table_of(LoyaltyAccount), table_of(LedgerEntry)
_lot, _allocation = table_of(Lot), table_of(Allocation)
_block, _merge = table_of(PointsBlock), table_of(PointsMerge)


def rebuilders(settings: LoyaltySettings) -> Sequence[Rebuilder]:
    """Return how the points book is checked and mended."""
    return (
        Rebuilder("points accounts", check_accounts, rebuild_accounts),
        Rebuilder(
            "points lots",
            lambda session: [found for _, found in lot_differences(session)],
            lambda session: rebuild_lots(session, settings),
        ),
    )


def _sums() -> Select[tuple[object, ...]]:
    """The definition of an account: the sum of its entries, of which it may have none yet."""
    owners = sa.union(
        select(_account.c.customer_id, _account.c.point_kind),
        select(_entry.c.customer_id, _entry.c.point_kind),
        select(_block.c.customer_id, sa.literal(POINTS)),
        select(_merge.c.from_customer_id, sa.literal(POINTS)),
    ).subquery()
    mine = sa.and_(
        _entry.c.customer_id == owners.c.customer_id, _entry.c.point_kind == owners.c.point_kind
    )
    net = func.coalesce(func.sum(_entry.c.points_delta), 0).cast(sa.BigInteger)
    return (
        select(
            *owners.c,
            case((net > 0, net), else_=0).label("balance"),
            case((net < 0, -net), else_=0).label("debt"),
            # as text, because PostgreSQL before 18 has no greatest of ids
            sa.cast(func.max(sa.cast(_entry.c.id, sa.String)), sa.Uuid).label("last_entry_id"),
            case(
                (owners.c.point_kind == POINTS, is_blocked(owners.c.customer_id)), else_=sa.false()
            ).label("is_blocked"),
            case((owners.c.point_kind == POINTS, merged_into(owners.c.customer_id))).label(
                "merged_into"
            ),
        )
        .outerjoin(_entry, mine)
        .group_by(*owners.c)
    )


def check_accounts(session: Session) -> list[Difference]:
    """Return every account that is not the sum of its entries."""
    return differences(session, LoyaltyAccount, _sums())


def rebuild_accounts(session: Session) -> int:
    """Make every account the sum of its entries; returns how many there are."""
    session.execute(sa.delete(_account))
    columns = [*ACCOUNT_COLUMNS, "is_blocked", "merged_into"]
    session.execute(sa.insert(_account).from_select(columns, _sums()))
    return session.scalar(select(func.count()).select_from(_account)) or 0


def lot_differences(session: Session) -> Iterator[tuple[UUID, Difference]]:
    """Give each place where lots and allocations do not add up to the entries, and whose it is."""
    for check, customer, key, stored, least, most in violations(session, *OF_LOTS):
        expected = {"points": least} if least == most else {"at least": least, "most": most}
        yield customer, Difference(check.table.name, str(key), {"points": stored}, expected)


def rebuild_lots(session: Session, settings: LoyaltySettings) -> int:
    """Post the entries of every customer whose lots do not add up again; returns rows written.

    Lots that are there keep their dates.
    """
    broken = sorted({customer for customer, _ in lot_differences(session)})
    return sum(_replay(session, customer, settings) for customer in broken)


def _replay(session: Session, customer: UUID, settings: LoyaltySettings) -> int:
    wanted = select(_lot.c.entry_id, _lot.c.active_from, _lot.c.expires_at)
    dates = {
        row[0]: row[1:] for row in session.execute(wanted.where(_lot.c.customer_id == customer))
    }
    for table in (_allocation, _lot):
        session.execute(sa.delete(table).where(table.c.customer_id == customer))
    first = case((_entry.c.kind == EntryKind.EXPIRY, _entry.c.source_id),
                 else_=_entry.c.reverses_entry_id)  # fmt: skip
    columns = (_entry.c.id, _entry.c.kind, _entry.c.point_kind, _entry.c.points_delta,
               _entry.c.occurred_at, _entry.c.explanation, first)  # fmt: skip
    entries = select(*columns).where(_entry.c.customer_id == customer).order_by(_entry.c.id)
    replay = Replay(customer, dates, settings)
    for entry in session.execute(entries):
        replay.post(*entry)
    lots = [lot_row(lot, account) for account, lot in replay.lots]
    insert_rows(session, Lot, LOT_COLUMNS, lots)
    restart(session, replay.holdings, settings)
    rows = allocation_rows(customer, replay.uses)
    insert_rows(session, Allocation, ALLOCATION_COLUMNS, rows)
    return len(lots) + len(rows)
