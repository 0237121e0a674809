"""What of an account can be spent, and what cannot yet, as SQL expressions."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, or_, select

from crmkit import table_of
from crmkit_loyalty.models import Allocation, Lot
from crmkit_loyalty.redemption_models import Redemption, RedemptionState

Sum = ColumnElement[int]


def pending(customer_id: Any, point_kind: Any, now: ColumnElement[Any]) -> Sum:
    """Give the points that cannot be spent yet.

    Args:
        customer_id: whose; a column or a value, like the others.
    """
    lot = table_of(Lot).alias("pending")
    return _left(lot, customer_id, point_kind, lot.c.active_from > now)


def available(customer_id: Any, point_kind: Any, now: ColumnElement[Any]) -> Sum:
    """Give the points that can be spent, those of holds whose time is over included."""
    lot = table_of(Lot).alias("active")
    not_expired = or_(lot.c.expires_at.is_(None), lot.c.expires_at > now)
    left = _left(lot, customer_id, point_kind, lot.c.active_from <= now, not_expired)
    return left + _overdue(customer_id, point_kind, now)


def _left(lot: Any, customer_id: Any, point_kind: Any, *where: ColumnElement[bool]) -> Sum:
    use = table_of(Allocation).alias("use_of_lot")
    used = select(func.sum(use.c.points)).where(use.c.lot_id == lot.c.id).scalar_subquery()
    left = func.sum(lot.c.points - func.coalesce(used, 0))
    return (
        select(func.coalesce(left, 0).cast(BigInteger))
        .where(lot.c.customer_id == customer_id, lot.c.point_kind == point_kind, *where)
        .scalar_subquery()
    )


def _overdue(customer_id: Any, point_kind: Any, now: ColumnElement[Any]) -> Sum:
    held, use = table_of(Redemption).alias("held"), table_of(Allocation).alias("use_of_hold")
    lot = table_of(Lot).alias("lot_of_hold")
    return (
        select(func.coalesce(func.sum(use.c.points), 0).cast(BigInteger))
        .select_from(held)
        .join(use, use.c.entry_id == held.c.hold_entry_id)
        .join(lot, lot.c.id == use.c.lot_id)
        .where(
            held.c.customer_id == customer_id,
            held.c.point_kind == point_kind,
            held.c.state == RedemptionState.HELD.value,
            held.c.held_until <= now,
            or_(lot.c.expires_at.is_(None), lot.c.expires_at > now),
        )
        .scalar_subquery()
    )
