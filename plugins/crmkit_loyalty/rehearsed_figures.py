"""What happened to points in a period, as statements over the whole points book."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlmodel import Session

from crmkit import table_of
from crmkit.rehearsing import Period
from crmkit_loyalty.expiring import left_by_month, liability_minor, month_ends
from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_loyalty.rehearsal import last_instant
from crmkit_loyalty.settings import LoyaltySettings

_PAGE = 5_000
_DEPTH = 4  # a lot that a voided return gave back expires: expiry, undo, reversal, accrual
_entry = table_of(LedgerEntry)


class Points(NamedTuple):
    """What happened to points.

    Attributes:
        issued: given by rules.
        taken_back: when goods came back, less what undoing that gave back.
        expired: without having been spent.
        by_hand: what people gave, less what they took.
    """

    issued: int = 0
    taken_back: int = 0
    expired: int = 0
    by_hand: int = 0


def by_month_and_rule(session: Session, period: Period) -> Mapping[tuple[date, str], Points]:
    """Return what happened to points, by month and by the rule that gave them.

    The month is its last day in the period.
    """
    ends = period.month_ends()
    starts = [period.first, *(end.replace(day=1) for end in ends[1:])]
    begins = [period.start_of(start) for start in starts]
    month = case(
        *((_entry.c.occurred_at >= at, place) for place, at in reversed(list(enumerate(begins)))),
        else_=-1,
    ).label("month")
    rule, source = _rule_of_origin()
    statement = (
        select(month, rule, *_sums())
        .select_from(source)
        .where(*_within(period))
        .group_by(month, rule)
    )
    return {
        (ends[at], name): Points(*map(int, sums)) for at, name, *sums in session.execute(statement)
    }


def by_customer(session: Session, period: Period) -> Iterator[tuple[UUID, int]]:
    """Give the points that each customer earned, less those taken back, by the customer's id."""
    issued, taken_back, *_ = _sums()
    statement = (
        select(_entry.c.customer_id, issued - taken_back)
        .where(*_within(period))
        .group_by(_entry.c.customer_id)
        .order_by(_entry.c.customer_id)
    )
    for who, points in session.execute(statement, execution_options={"yield_per": _PAGE}):
        yield who, int(points)


def left_at_end(
    session: Session, period: Period, settings: LoyaltySettings, digits: int
) -> tuple[int, int]:
    """Return the points left at the end of a period, and the liability in minor units.

    Args:
        digits: decimals of the home currency.
    """
    at = last_instant(period)
    rows = session.execute(left_by_month(at, month_ends(at, settings.timezone)))
    months = [int(points) for _, points in rows]
    costs = (cost_minor(points, settings, digits) for points in months)
    return sum(months), sum(costs)


def cost_minor(points: int, settings: LoyaltySettings, digits: int) -> int:
    """Return what points are expected to cost, in minor units."""
    return liability_minor(points, settings.point_cost, settings.expected_redemption_share, digits)


def _within(period: Period) -> tuple[ColumnElement[bool], ...]:
    since, until = period.start_of(period.first), period.until
    return _entry.c.occurred_at >= since, _entry.c.occurred_at < until


def _sums() -> tuple[ColumnElement[int], ...]:
    """Return the sums of `Points`, in its order."""
    is_back = or_(
        _entry.c.kind == EntryKind.REVERSAL,
        and_(_entry.c.kind == EntryKind.ADJUSTMENT, _entry.c.source == "transaction"),
    )
    issued, expired = _entry.c.kind == EntryKind.ACCRUAL, _entry.c.kind == EntryKind.EXPIRY
    by_hand = _entry.c.source.not_in(("transaction", "entry"))
    return tuple(
        func.coalesce(func.sum(case((which, sign * _entry.c.points_delta), else_=0)), 0)
        for which, sign in ((issued, 1), (is_back, -1), (expired, -1), (by_hand, 1))
    )


def _rule_of_origin() -> tuple[ColumnElement[str], Any]:
    """Return the rule that points go back to, through what undid or outlived it."""
    source: Any = _entry
    link: Any = _entry
    rules = [_entry.c.rule]
    for number in range(_DEPTH):
        origin = _entry.alias(f"origin_{number}")
        parent = case(
            (link.c.kind == EntryKind.EXPIRY, link.c.source_id), else_=link.c.reverses_entry_id
        )
        source = source.outerjoin(origin, origin.c.id == parent)
        link = origin
        rules.insert(0, origin.c.rule)
    return func.coalesce(*rules).label("origin"), source
