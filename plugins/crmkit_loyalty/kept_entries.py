"""What people did with points, to be done again in a rehearsal."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session

from crmkit import table_of
from crmkit.rehearsing import Fact
from crmkit_loyalty import ledger
from crmkit_loyalty.book import Draft
from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_loyalty.settings import LoyaltySettings

_PAGE = 1_000
_entry = table_of(LedgerEntry)
BY_RULES = ("transaction", "entry")
"""Sources of entries that follow from the rules; a rehearsal finds them anew."""


def kept_entries(shop: Session, until: datetime, settings: LoyaltySettings) -> Iterator[Fact]:
    """Give the entries that no rule led to, before an instant and in their order.

    Args:
        settings: of the rehearsal.
    """
    statement = (
        select(_entry)
        .where(_entry.c.source.not_in(BY_RULES), _entry.c.occurred_at < until)
        .order_by(_entry.c.occurred_at, _entry.c.id)
    )
    for row in shop.execute(statement, execution_options={"yield_per": _PAGE}):
        yield Fact(row.occurred_at, row.customer_id, _again(row, settings))


def _again(row: Row[Any], settings: LoyaltySettings) -> Any:
    """Return what posts an entry anew; of points that go, only as many as there are."""

    def do(session: Session) -> None:
        who = row.customer_id
        book = ledger.open_book(session, {who}, {who}, row.recorded_at, settings)
        points = row.points_delta
        if points < 0:
            points = -min(-points, book.balance(who, row.occurred_at))
        if points:
            book.post(
                Draft(
                    who,
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
                )
            )
        ledger.write(session, book)

    return do
