"""What is going to expire, as GraphQL gives it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from crmkit.money import currency_digits
from crmkit_loyalty.expiring import (
    MONTHS,
    expiring_soon,
    last_day,
    left_by_month,
    liability_minor,
    month_ends,
)
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_schema import Long, Money, RequestContext, resolved, value_type

_DAYS_MAX = 3_660


@value_type
class ExpiringPoints:
    """Points that expire together."""

    last_day: date = strawberry.field(description="Last day on which they can be spent.")
    points: Long = strawberry.field(description="How many are left.")


@value_type
class LoyaltyLiabilityMonth:
    """What may still be redeemed of points by the month in which they expire."""

    month: date | None = strawberry.field(
        description="First day of the month in which the last day lies; null for points that "
        "never expire, or more than ten years from now."
    )
    points: Long = strawberry.field(description="Points that are left.")
    cost: Money = strawberry.field(description="Points x cost of one x expected redemption.")


@value_type
class LoyaltyLiability:
    """What all points that are left are expected to cost."""

    months: list[LoyaltyLiabilityMonth] = strawberry.field(description="Nearest first.")
    points: Long = strawberry.field(description="Points that are left, in all.")
    cost: Money = strawberry.field(description="The sum of the months.")


def settings_of(context: RequestContext) -> LoyaltySettings:
    """Return the settings of the programme."""
    settings: Any = context.crm.registry["loyalty"].settings
    return settings  # type: ignore[no-any-return]


def expiring(
    parents: Sequence[Any], context: RequestContext, *, days: int = 30
) -> list[list[ExpiringPoints]]:
    """Return for each account what expires within some days, by day."""
    zone, within = settings_of(context).timezone, timedelta(min(max(days, 0), _DAYS_MAX))
    ids = [parent.customer_id for parent in parents]
    found: defaultdict[UUID, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in context.rows(expiring_soon(ids, context.now, context.now + within)):
        found[row["customer_id"]][last_day(row["expires_at"], zone)] += int(row["points"])
    return [
        [ExpiringPoints(last_day=day, points=Long(points)) for day, points in found[id_].items()]
        for id_ in ids
    ]


@strawberry.type
class LoyaltyQuery:
    """What can be asked about the programme as a whole."""

    @resolved("What points are expected to cost, by month.", permission="loyalty.liability")
    def loyalty_liability(self, info: Info) -> LoyaltyLiability:
        """Report."""
        context: RequestContext = info.context
        zone, currency = settings_of(context).timezone, context.crm.settings.currency
        ends = month_ends(context.now, zone)
        rows = context.rows(left_by_month(context.now, ends))
        left = {row["month"]: int(row["points"]) for row in rows}
        costs = {at: _cost(context, points) for at, points in left.items()}
        months = [
            LoyaltyLiabilityMonth(
                month=None if at is None else last_day(ends[at], zone).replace(day=1),
                points=Long(left[at]),
                cost=Money(minor=Long(costs[at]), currency=currency),
            )
            for at in sorted(left, key=lambda at: MONTHS if at is None else at)
        ]
        total = Money(minor=Long(sum(costs.values())), currency=currency)
        return LoyaltyLiability(months=months, points=Long(sum(left.values())), cost=total)


def _cost(context: RequestContext, points: int) -> int:
    settings, digits = settings_of(context), currency_digits(context.crm.settings.currency)
    share = settings.expected_redemption_share
    return liability_minor(points, settings.point_cost, share, digits)
