"""What transactions do to tiers: whoever bought or returned is looked at."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from crmkit import RecordedTransaction, TransactionBatch, table_of
from crmkit.models import CustomerDay, TransactionKind
from crmkit_tiers.deciding import Subject, decide
from crmkit_tiers.figures import Metrics
from crmkit_tiers.memberships import lock_held, write
from crmkit_tiers.settings import TierSet, TiersSettings
from crmkit_tiers.states import State

_CHUNK = 500
_day = table_of(CustomerDay)
_ADJUSTMENT = TransactionKind.ADJUSTMENT.value
_GIVING_BACK = frozenset(
    {TransactionKind.RETURN.value, TransactionKind.EXCHANGE.value, TransactionKind.VOID.value}
)

Days = tuple[date, date]
"""First and last business day of a customer."""


def follow(
    session: Session, batch: TransactionBatch, settings: TiersSettings, metrics: Metrics
) -> None:
    """Look at the customers of a batch in every tier set, each once, after the whole batch.

    The day that counts is the last on which anything is known of the customer, so sales that
    come in late, or are imported in order, lead to the same tiers.
    """
    by_customer: defaultdict[UUID, list[RecordedTransaction]] = defaultdict(list)
    for each in batch.transactions:
        if each.customer_id is not None and each.kind != _ADJUSTMENT:
            by_customer[each.customer_id].append(each)
    if not by_customer or not settings.sets:
        return
    days = business_days(session, sorted(by_customer))
    for name, tier_set in settings.sets.items():
        held = lock_held(session, name, by_customer)
        subjects = [
            _subject(tier_set, who, some, held[who].state if who in held else None, days)
            for who, some in by_customer.items()
        ]
        changes = decide(session, tier_set, metrics, subjects)
        write(session, name, tier_set, changes, held, batch.recorded_at)


def business_days(session: Session, customers: list[UUID]) -> dict[UUID, Days]:
    """Return each customer's first and last business day; those without any are left out."""
    found: dict[UUID, Days] = {}
    for start in range(0, len(customers), _CHUNK):
        statement = (
            select(_day.c.customer_id, func.min(_day.c.business_on), func.max(_day.c.business_on))
            .where(_day.c.customer_id.in_(customers[start : start + _CHUNK]))
            .group_by(_day.c.customer_id)
        )
        found.update((who, (first, last)) for who, first, last in session.execute(statement))
    return found


def _subject(
    tier_set: TierSet,
    who: UUID,
    some: list[RecordedTransaction],
    state: State | None,
    days: Mapping[UUID, Days],
) -> Subject:
    told = [each.business_on for each in some]
    first, last = days.get(who, (min(told), max(told)))
    held = [state.since_on, state.at_risk_on] if state else []
    came_back = any(each.kind in _GIVING_BACK for each in some)
    return Subject(
        who,
        state,
        max(last, *told, *(day for day in held if day is not None)),
        first,
        max(each.occurred_at for each in some),
        tier_set.review == "at_once" or (tier_set.on_return == "at_once" and came_back),
    )
