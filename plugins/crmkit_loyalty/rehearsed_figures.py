"""What happened to points in a period, as statements over the whole points book."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, or_, select
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
        redeemed: less what came back of it.
        by_hand: what people gave, less what they took.
    """

    issued: int = 0
    taken_back: int = 0
    expired: int = 0
    redeemed: int = 0
    by_hand: int = 0

    def __add__(self, other: tuple[int, ...]) -> "Points":  # type: ignore[override]
        return Points(*(one + more for one, more in zip(self, other, strict=True)))


class Origin(NamedTuple):
    """When something happened to points, and which rule once gave them.

    Attributes:
        until: last day of the month, as far as it lies in the period.
    """

    until: date
    point_kind: str
    rule: str


class Earned(NamedTuple):
    """What a customer earned of a kind, less what returns took back."""

    point_kind: str
    customer_id: UUID
    points: int


def by_origin(session: Session, period: Period) -> Mapping[Origin, Points]:
    """Return what happened to points, by month, kind and rule."""
    ends = period.month_ends()
    begins = [period.start_of(end.replace(day=1)) for end in ends]
    month = case(
        *((_entry.c.occurred_at >= at, place) for place, at in reversed(list(enumerate(begins)))),
        else_=0,
    ).label("month")
    source, rule, sums = _with_origins()
    keys = month, _entry.c.point_kind, rule
    statement = select(*keys, *sums).select_from(source)
    rows = session.execute(statement.where(*_within(period)).group_by(*keys))
    return {Origin(ends[at], kind, name): Points(*map(int, each)) for at, kind, name, *each in rows}


def by_customer(session: Session, period: Period) -> Iterator[Earned]:
    """Give what customers earned in a period, in the order of kinds and ids."""
    source, _, (issued, taken_back, *_more) = _with_origins()
    keys = _entry.c.point_kind, _entry.c.customer_id
    statement = (
        select(*keys, issued - taken_back)
        .select_from(source)
        .where(*_within(period))
        .group_by(*keys)
        .order_by(*keys)
    )
    for kind, who, points in session.execute(statement, execution_options={"yield_per": _PAGE}):
        yield Earned(kind, who, int(points))


class Left(NamedTuple):
    """Points that are left at the end of a period.

    Attributes:
        cost_minor: what they are expected to cost, in minor units of the home currency.
    """

    points: int = 0
    cost_minor: int = 0


def left_at_end(
    session: Session, period: Period, settings: LoyaltySettings, digits: int
) -> Mapping[str, Left]:
    """Return what is left of each kind of points, with the liability as it is reported."""
    at = last_instant(period)
    left: defaultdict[str, Left] = defaultdict(Left)
    for kind, _, points in session.execute(left_by_month(at, month_ends(at, settings.timezone))):
        before, cost = left[kind], cost_minor(int(points), kind, settings, digits)
        left[kind] = Left(before.points + int(points), before.cost_minor + cost)
    return left


def cost_minor(points: int, kind: str, settings: LoyaltySettings, digits: int) -> int:
    """Return what points of a kind are expected to cost, in minor units."""
    terms = settings.kind(kind)
    return liability_minor(points, terms.point_cost, terms.expected_redemption_share, digits)


def _within(period: Period) -> tuple[ColumnElement[bool], ...]:
    since, until = period.start_of(period.first), period.until
    return _entry.c.occurred_at >= since, _entry.c.occurred_at < until


def _with_origins() -> tuple[Any, ColumnElement[str], tuple[ColumnElement[int], ...]]:
    """Return entries with what they go back to: the rule of that, and the sums of `Points`."""
    source: Any = _entry
    link: Any = _entry
    rules, kinds = [_entry.c.rule], [_entry.c.kind]
    for number in range(_DEPTH):
        origin = _entry.alias(f"origin_{number}")
        parent = case(
            (link.c.kind == EntryKind.EXPIRY, link.c.source_id), else_=link.c.reverses_entry_id
        )
        source, link = source.outerjoin(origin, origin.c.id == parent), origin
        rules.insert(0, origin.c.rule)
        kinds.insert(0, origin.c.kind)
    kind, first = _entry.c.kind, func.coalesce(*kinds)
    is_redeemed = first == EntryKind.REDEMPTION
    which = case(
        (kind == EntryKind.ACCRUAL, "issued"),
        (kind == EntryKind.EXPIRY, "expired"),
        (is_redeemed, "redeemed"),
        (or_(kind == EntryKind.REVERSAL, _entry.c.source == "transaction"), "taken_back"),
        else_="by_hand",
    )
    sums = (
        func.sum(case((which == name, sign * _entry.c.points_delta), else_=0))
        for name, sign in zip(Points._fields, (1, -1, -1, -1, 1), strict=True)
    )
    return source, func.coalesce(*rules).label("origin"), tuple(sums)
