"""What a sale would earn now; writes and locks nothing."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlmodel import Session

from crmkit import RecordedTransaction, Services
from crmkit.times import parse_instant
from crmkit_loyalty.amount_posting import earn_by_amount
from crmkit_loyalty.book import Book
from crmkit_loyalty.book_rows import ENTRY_COLUMNS, LOT_COLUMNS
from crmkit_loyalty.earning_limits import peek_allowances
from crmkit_loyalty.earning_posting import load_earnings
from crmkit_loyalty.lots import AccountKey, Holding
from crmkit_loyalty.multipliers import load_multipliers
from crmkit_loyalty.programme import load_programme
from crmkit_loyalty.settings import LoyaltySettings


class Previewed(NamedTuple):
    """An accrual that would be posted; the names are those of `LedgerEntry` and `Lot`."""

    rule: str
    line: int
    point_kind: str
    points: int
    explanation: Mapping[str, Any]
    active_from: datetime | None
    expires_at: datetime | None


def preview(
    session: Session,
    services: Services,
    settings: LoyaltySettings,
    sale: RecordedTransaction,
    customer_id: UUID,
    now: datetime,
) -> list[Previewed]:
    """Return the accruals that recording a sale would post, in their order.

    They come from the same code, posted in a book that nobody writes: limits are as they stand,
    tiers and segments as they were just before the sale.

    Args:
        sale: the customer's, by its id.
    """
    multiplied = load_multipliers(session, services, [sale])
    programme = load_programme(session, settings, [sale.occurred_at])
    by_rules = load_earnings(session, services, programme, [sale], multiplied, {}, peek_allowances)
    accounts = {AccountKey(customer_id, kind): Holding() for kind in settings.terms}
    book = Book(accounts, now, settings)
    if by_rules is not None and by_rules.covers(sale):
        by_rules.post(book, sale, customer_id)
    else:
        earn_by_amount(book, sale, customer_id, settings, multiplied.get(sale.id, ()), Fraction())
    entries = (dict(zip(ENTRY_COLUMNS, row, strict=True)) for row in book.rows.entries)
    lots = (dict(zip(LOT_COLUMNS, row, strict=True)) for row in book.rows.lots)
    return [_previewed(entry, lot) for entry, lot in zip(entries, lots, strict=True)]


def _previewed(entry: Mapping[str, Any], lot: Mapping[str, Any]) -> Previewed:
    return Previewed(
        entry["rule"],
        entry["line"],
        entry["point_kind"],
        entry["points_delta"],
        orjson.loads(entry["explanation"]),
        *(lot[name] and parse_instant(lot[name]) for name in ("active_from", "expires_at")),
    )
