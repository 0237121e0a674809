"""The entry that money spent leads to where no earning rule says more."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

from crmkit import RecordedTransaction
from crmkit.models import TransactionKind
from crmkit_loyalty import accrual
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Draft
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.multipliers import Multiplier, as_inputs, factor_of
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.settings import LoyaltySettings

_EARNING = frozenset({TransactionKind.SALE.value, TransactionKind.EXCHANGE.value})
_RETURNING = frozenset({TransactionKind.RETURN.value, TransactionKind.EXCHANGE.value})


def earn_by_amount(
    book: Book,
    each: RecordedTransaction,
    customer_id: UUID,
    settings: LoyaltySettings,
    multiplied: Sequence[Multiplier],
    paid_by_points: Fraction,
) -> None:
    """Give points for what was sold; take some for what came back without a named sale.

    Nobody can tell whether goods without a receipt ever earned here, so taking stops at 0.
    """
    amount = accrual.eligible_minor(each.lines)
    by_points = floor(max(amount, 0) * paid_by_points)
    rate = settings.rate_for(each.currency)
    per_minor = accrual.points_per_minor(rate, each.currency) * factor_of(multiplied)
    points = accrual.points_for(abs(amount) - by_points, per_minor)
    inputs: dict[str, Any] = {
        "version": accrual.VERSION,
        "amount_minor": amount,
        "currency": each.currency,
        "points_per_major_unit": str(rate),
        **as_inputs(multiplied),
        **({"paid_by_points_minor": by_points} if by_points else {}),
    }
    if amount < 0:
        if each.kind not in _RETURNING:
            return
        account = AccountKey(customer_id, POINTS)
        inputs["due"], points = points, min(points, book.balance(account, each.occurred_at))
    elif each.kind not in _EARNING:
        return
    if points:
        book.post(_earning(each, customer_id, points if amount > 0 else -points, inputs))


def _earning(
    each: RecordedTransaction, customer_id: UUID, points: int, inputs: Mapping[str, Any]
) -> Draft:
    earns = points > 0
    return Draft(
        customer_id,
        EntryKind.ACCRUAL if earns else EntryKind.ADJUSTMENT,
        points,
        each.occurred_at,
        accrual.RULE if earns else "unlinked_return",
        inputs,
        source_id=each.id,
        reason=None if earns else "goods came back without a named sale",
    )
