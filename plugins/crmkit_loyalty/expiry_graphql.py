"""What is going to expire, as GraphQL gives it."""

from collections import Counter, defaultdict
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

    point_kind: str = strawberry.field(description="Which kind of points.")
    last_day: date = strawberry.field(description="Last day on which they can be spent.")
    points: Long = strawberry.field(description="How many are left.")


@value_type
class LoyaltyLiabilityMonth:
    """What may still be redeemed of one kind of points that expire in the same month."""

    point_kind: str = strawberry.field(description="Which kind of points.")
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
    points: Long = strawberry.field(description="Points that are left, of all kinds.")
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
    found: defaultdict[UUID, Counter[tuple[date, str]]] = defaultdict(Counter)
    for row in context.rows(expiring_soon(ids, context.now, context.now + within)):
        day = last_day(row["expires_at"], zone)
        found[row["customer_id"]][day, row["point_kind"]] += int(row["points"])
    return [
        [
            ExpiringPoints(point_kind=kind, last_day=day, points=Long(points))
            for (day, kind), points in sorted(found[id_].items())
        ]
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
        months = []
        for row in sorted(rows, key=lambda row: (_place(row["month"]), row["point_kind"])):
            kind, at, points = row["point_kind"], row["month"], int(row["points"])
            month = LoyaltyLiabilityMonth(
                point_kind=kind,
                month=None if at is None else last_day(ends[at], zone).replace(day=1),
                points=Long(points),
                cost=Money(minor=Long(_cost(context, kind, points)), currency=currency),
            )
            months.append(month)
        total = Money(minor=Long(sum(each.cost.minor for each in months)), currency=currency)
        points = sum(each.points for each in months)
        return LoyaltyLiability(months=months, points=Long(points), cost=total)


def _place(month: int | None) -> int:
    return MONTHS if month is None else month


def _cost(context: RequestContext, kind: str, points: int) -> int:
    policy, digits = settings_of(context).kind(kind), currency_digits(context.crm.settings.currency)
    return liability_minor(points, policy.point_cost, policy.expected_redemption_share, digits)
