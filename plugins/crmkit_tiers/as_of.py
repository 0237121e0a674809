"""Which tiers were held at the end of a day, by what is known now or was known at some instant."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select

from crmkit import table_of
from crmkit_tiers.models import TierChange

_change = table_of(TierChange)


def held_on(customers: Collection[UUID], day: date, known_at: datetime | None) -> Select[Any]:
    """Select customer, tier set, tier and its first day, one row for each set with a change.

    A tier counts from its first day, so that of the changes with a first day that has come the
    last is the one: those that kept a tier have the first day of the tier they kept.

    Args:
        known_at: only changes recorded by then; None for all.
    """
    by_then = [_change.c.customer_id.in_(sorted(customers)), _change.c.since_on <= day]
    if known_at is not None:
        by_then.append(_change.c.recorded_at <= known_at)
    last = (
        select(
            _change.c.customer_id, _change.c.tier_set, func.max(_change.c.number).label("number")
        )
        .where(*by_then)
        .group_by(_change.c.customer_id, _change.c.tier_set)
        .subquery()
    )
    is_last = and_(
        _change.c.customer_id == last.c.customer_id,
        _change.c.tier_set == last.c.tier_set,
        _change.c.number == last.c.number,
    )
    return select(
        _change.c.customer_id, _change.c.tier_set, _change.c.to_tier, _change.c.since_on
    ).join(last, is_last)
