"""Entries that no rule led to, such as adjustments, to be posted again in a rehearsal."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlmodel import Session

from crmkit import table_of
from crmkit.rehearsing import Fact
from crmkit_loyalty import ledger
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import SPENDING, EntryKind, LedgerEntry
from crmkit_loyalty.replaying import told_dates
from crmkit_loyalty.settings import LoyaltySettings

_OTHERS = ("transaction", "entry", "redemption")
"""Sources of entries that follow from rules or from redemptions; a rehearsal finds them anew."""

_PAGE = 1_000
_entry = table_of(LedgerEntry)


def kept_entries(shop: Session, until: datetime, settings: LoyaltySettings) -> Iterator[Fact]:
    """Give such entries before an instant, in their order, apart from merges.

    Args:
        settings: of the rehearsal.
    """
    statement = (
        select(_entry)
        .where(
            _entry.c.source.not_in(_OTHERS),
            _entry.c.kind.not_in((EntryKind.MERGE_IN, EntryKind.MERGE_OUT)),
            _entry.c.occurred_at < until,
        )
        .order_by(_entry.c.occurred_at, _entry.c.kind == EntryKind.TRANSFER_IN, _entry.c.id)
    )
    for row in shop.execute(statement, execution_options={"yield_per": _PAGE}):
        if row.point_kind in settings.terms:
            yield Fact(row.occurred_at, frozenset({row.customer_id}), _again(row, settings))


def _again(row: Row[Any], settings: LoyaltySettings) -> Callable[[Session], None]:
    """Return what posts an entry anew; of points that go, only as many as there are."""
    account = AccountKey(row.customer_id, row.point_kind)

    def do(session: Session) -> None:
        owner = {row.customer_id}
        book = ledger.open_book(session, owner, owner, row.recorded_at, settings)
        points = row.points_delta
        if points < 0:
            there = book.balance(account, row.occurred_at)  # what has expired lapses
            if row.kind in SPENDING:
                there = book.available(account, row.occurred_at)
            points = -min(-points, there)
        elif row.kind == EntryKind.TRANSFER_IN:
            points = min(points, _on_its_way(session, row.source_id))
        if points:
            book.post(_draft(row, points))
        ledger.write(session, book)

    return do


def _on_its_way(session: Session, transfer_id: UUID) -> int:
    """Return the points that one customer gave in a transfer and the other has not got yet."""
    moved = select(func.sum(_entry.c.points_delta)).where(_entry.c.source_id == transfer_id)
    return -int(session.scalar(moved) or 0)


def _draft(row: Row[Any], points: int) -> Draft:
    return Draft(
        row.customer_id,
        EntryKind(row.kind),
        points,
        row.occurred_at,
        row.rule,
        row.explanation,
        source=row.source,
        source_id=row.source_id,
        reason=row.reason,
        actor=row.actor,
        key=row.idempotency_key,
        fingerprint=row.fingerprint,
        point_kind=row.point_kind,
        line=row.line,
        dates=told_dates(row.explanation),
    )
