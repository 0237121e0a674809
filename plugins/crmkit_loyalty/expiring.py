"""What is going to expire: of single customers soon, and of all of them by month."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from crmkit import table_of
from crmkit_loyalty.models import Allocation, Lot

MONTHS = 120
"""Months that a report tells apart; what expires later stands with what never does."""

_lot, _allocation = table_of(Lot), table_of(Allocation)
_used = func.sum(_allocation.c.points).label("points")


def last_day(expires_at: datetime, zone: str) -> date:
    """Return the last day on which points can be spent that expire at an instant."""
    return (expires_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def expiring_soon(customers: Collection[UUID], now: datetime, until: datetime) -> Select[Any]:
    """Select customer, kind, instant and points of what expires after `now` and by `until`."""
    used = select(_used).where(_allocation.c.lot_id == _lot.c.id).scalar_subquery()
    left = _lot.c.points - func.coalesce(used, 0)
    soon = and_(_lot.c.expires_at > now, _lot.c.expires_at <= until)
    return (
        select(
            _lot.c.customer_id,
            _lot.c.point_kind,
            _lot.c.expires_at,
            func.sum(left).label("points"),
        )
        .where(_lot.c.customer_id.in_(sorted(customers)), soon, left > 0)
        .group_by(_lot.c.customer_id, _lot.c.point_kind, _lot.c.expires_at)
        .order_by(_lot.c.expires_at, _lot.c.point_kind)
    )


def month_ends(now: datetime, zone: str) -> list[datetime]:
    """Return the instants at which this month and those after it end, in UTC."""
    first = now.astimezone(ZoneInfo(zone)).date().replace(day=1)
    ends = []
    for _ in range(MONTHS):
        first = (first + timedelta(days=31)).replace(day=1)
        ends.append(datetime.combine(first, time(), ZoneInfo(zone)).astimezone(UTC))
    return ends


def left_by_month(now: datetime, ends: Sequence[datetime]) -> Select[Any]:
    """Select what is left of each kind in lots that have not expired, by the month of expiry.

    The month is a position in `ends`; null stands for later, or never.
    """
    used = select(_allocation.c.lot_id, _used).group_by(_allocation.c.lot_id).subquery()
    left: ColumnElement[int] = func.sum(_lot.c.points - func.coalesce(used.c.points, 0))
    month = case(*((_lot.c.expires_at <= end, at) for at, end in enumerate(ends)), else_=None)
    return (
        select(_lot.c.point_kind, month.label("month"), left.label("points"))
        .outerjoin_from(_lot, used, used.c.lot_id == _lot.c.id)
        .where(~_lot.c.is_expired, or_(_lot.c.expires_at.is_(None), _lot.c.expires_at > now))
        .group_by(_lot.c.point_kind, "month")
        .having(left > 0)
    )


def liability_minor(points: int, point_cost: Decimal, share: Decimal, digits: int) -> int:
    """Return what points are expected to cost, in minor units; halves are rounded up.

    points x cost of one x expected share that is redeemed.

    Args:
        point_cost: what one point costs, in major units.
        share: which part of the points is expected to be redeemed, from 0 to 1.
        digits: decimals of the currency.
    """
    exact: Fraction = points * Fraction(point_cost) * Fraction(share) * 10**digits
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
