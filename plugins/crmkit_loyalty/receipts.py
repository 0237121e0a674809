"""Which redemptions pay for which sales: both name the same receipt, whichever came first."""

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from uuid import UUID

from sqlalchemy import and_, func, select, tuple_
from sqlmodel import Session

from crmkit import RecordedTransaction, table_of
from crmkit.models import Transaction, TransactionKind
from crmkit_loyalty.accrual import sold_minor
from crmkit_loyalty.entries import Posted
from crmkit_loyalty.giving_back import Spent
from crmkit_loyalty.models import LedgerEntry
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_loyalty.settings import LoyaltySettings

_CHUNK = 500
_entry, _redemption = table_of(LedgerEntry), table_of(Redemption)
_sale = table_of(Transaction)


def spent_on(session: Session, sales: Collection[UUID]) -> list[Spent]:
    """Return the redemptions that paid for sales, whichever was recorded first; oldest first."""
    if not sales:
        return []
    fields = (
        "id",
        "customer_id",
        "kind",
        "point_kind",
        "points_delta",
        "source_id",
        "reverses_entry_id",
    )
    named = and_(
        _redemption.c.source == _sale.c.source, _redemption.c.external_id == _sale.c.external_id
    )
    ordered, found = sorted(sales), []
    for start in range(0, len(ordered), _CHUNK):
        statement = (
            select(_sale.c.id, _redemption.c.value_minor, *(_entry.c[field] for field in fields))
            .join_from(_sale, _redemption, named)
            .join(_entry, _entry.c.id == _redemption.c.entry_id)
            .where(
                _sale.c.id.in_(ordered[start : start + _CHUNK]),
                _redemption.c.state == RedemptionState.REDEEMED,
            )
            .order_by(_entry.c.id)
        )
        for sale_id, value_minor, *values in session.execute(statement):
            found.append(Spent(sale_id, Posted._make((*values, None, None, None, 0)), value_minor))
    return found


def paid_shares(
    session: Session, transactions: Iterable[RecordedTransaction], settings: LoyaltySettings
) -> Mapping[UUID, Fraction]:
    """Return which part of sales is paid by points that earn nothing, held points included.

    Reads nothing unless the settings have such points.
    """
    kinds = settings.kinds_not_earning
    sales = {
        (each.source, each.external_id): each
        for each in transactions
        if kinds and each.kind == TransactionKind.SALE and each.currency == settings.currency
    }
    shares: dict[UUID, Fraction] = {}
    named = sorted(sales)
    receipt = _redemption.c.source, _redemption.c.external_id
    for start in range(0, len(named), _CHUNK):
        statement = (
            select(*receipt, func.sum(_redemption.c.value_minor))
            .where(
                tuple_(*receipt).in_(named[start : start + _CHUNK]),
                _redemption.c.state.in_((RedemptionState.HELD, RedemptionState.REDEEMED)),
                _redemption.c.point_kind.in_(kinds),
            )
            .group_by(*receipt)
        )
        for source, external_id, value_minor in session.execute(statement):
            sale = sales[source, external_id]
            total = sold_minor(sale.lines)
            shares[sale.id] = min(Fraction(1), Fraction(int(value_minor), total or 1))
    return shares
