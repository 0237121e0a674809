"""Finding, among all customers, those whose tier may not be what the rules give today.

A statement for each page of customers does what `evaluation.fitting_rank` does, inside the
database, so that only those few are looked at closely. It may find too many, never too few.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlmodel import Session

from crmkit import Metric, table_of
from crmkit.models import Customer
from crmkit_tiers.conditions import Condition, FigureKey
from crmkit_tiers.figures import Metrics, daily_of, digits_of
from crmkit_tiers.models import TierMembership
from crmkit_tiers.periods import EVER, window_start
from crmkit_tiers.settings import TierSet

PAGE = 5_000
_customer, _membership = table_of(Customer), table_of(TierMembership)

_Sums = Mapping[FigureKey, ColumnElement[Any]]


class Page(NamedTuple):
    """Some customers, in the order of their ids.

    Attributes:
        after: id before the first; None if this is the first page.
        last: id of the last; None if this is the last page.
        size: how many they are.
    """

    after: UUID | None
    last: UUID | None
    size: int

    def holds(self, id_: ColumnElement[UUID]) -> ColumnElement[bool]:
        """Return the condition that an id lies in the page."""
        after = true() if self.after is None else id_ > self.after
        return after if self.last is None else and_(after, id_ <= self.last)


def next_page(session: Session, after: UUID | None) -> Page:
    """Return the page of customers that follows an id."""
    ids = select(_customer.c.id).order_by(_customer.c.id)
    if after is not None:
        ids = ids.where(_customer.c.id > after)
    size = session.scalar(select(func.count()).select_from(ids.limit(PAGE).subquery())) or 0
    return Page(after, session.scalar(ids.offset(PAGE - 1).limit(1)), size)


def candidates(
    session: Session, name: str, tier_set: TierSet, metrics: Metrics, page: Page, today: date
) -> list[UUID]:
    """Return the customers of a page whose tier may change by the figures of today.

    They are those that another tier fits than the one they hold, that are at risk, that have no
    review though the rules want one, or that were never looked at.
    """
    member = _membership.alias("member")
    is_member = and_(member.c.customer_id == _customer.c.id, member.c.tier_set == name)
    source = _customer.outerjoin(member, is_member)
    sums: dict[FigureKey, ColumnElement[Any]] = {}
    by_metric: defaultdict[str, list[FigureKey]] = defaultdict(list)
    for key in tier_set.keys:
        by_metric[key.metric].append(key)
    for number, (metric, keys) in enumerate(by_metric.items()):
        found = _sums(name, tier_set, metrics[metric], keys, page, today, f"sums_{number}")
        source = source.outerjoin(found, found.c.customer_id == _customer.c.id)
        for at, key in enumerate(keys):
            sums[key] = func.coalesce(found.c[f"sum_{at}"], 0)
    ranks = {tier.name: rank for rank, tier in enumerate(tier_set.tiers)}
    held = case(ranks, value=member.c.tier, else_=-1)
    wants_review = literal(tier_set.downgrade != "none" and tier_set.review != "at_once")
    statement = (
        select(_customer.c.id)
        .select_from(source)
        .where(
            page.holds(_customer.c.id),
            or_(
                member.c.customer_id.is_(None),
                member.c.at_risk_on.is_not(None),
                and_(wants_review, held > 0, member.c.valid_until_on.is_(None)),
                held != _fitting(tier_set, metrics, sums),
            ),
        )
    )
    return list(session.scalars(statement))


def _sums(
    name: str,
    tier_set: TierSet,
    metric: Metric,
    keys: Sequence[FigureKey],
    page: Page,
    today: date,
    alias: str,
) -> Subquery:
    """Sum a metric by customer, over windows that end today."""
    daily = daily_of(tier_set, metric)
    given = daily.selected_columns
    days = daily.where(page.holds(given.customer_id), given.business_on <= today).subquery("days")
    source: Any = days
    starts: list[Any] = [window_start(key, today, EVER, EVER) for key in keys]
    member = _membership.alias("looked")
    own = {"since_joining": member.c.joined_on, "since_tier": member.c.since_on}
    if any(key.window in own for key in keys):
        is_member = and_(member.c.customer_id == days.c.customer_id, member.c.tier_set == name)
        source = days.join(member, is_member)
        starts = [own.get(key.window, at) for key, at in zip(keys, starts, strict=True)]
    sums = [
        func.sum(days.c.value)
        if start is EVER
        else func.sum(case((days.c.business_on >= start, days.c.value), else_=0))
        for start in starts
    ]
    return (
        select(days.c.customer_id, *(each.label(f"sum_{at}") for at, each in enumerate(sums)))
        .select_from(source)
        .group_by(days.c.customer_id)
        .subquery(alias)
    )


def _fitting(tier_set: TierSet, metrics: Metrics, sums: _Sums) -> ColumnElement[int]:
    ranked = list(enumerate(tier_set.tiers))[:0:-1]
    found = [
        (_holds(tier_set, metrics, tier.entry, sums), rank) for rank, tier in ranked if tier.entry
    ]
    return case(*found, else_=0) if found else literal(0)


def _holds(
    tier_set: TierSet, metrics: Metrics, condition: Condition, sums: _Sums
) -> ColumnElement[bool]:
    """Return a condition as SQL; `conditions.holds` defines it."""
    if condition.at_least is not None:
        digits = digits_of(tier_set, metrics[condition.key.metric])
        least = condition.at_least.scaleb(digits).to_integral_value(ROUND_CEILING)
        return sums[condition.key] >= int(least)
    parts = [_holds(tier_set, metrics, each, sums) for each in condition.parts()]
    if condition.negated is not None:
        return not_(parts[0])
    return and_(*parts) if condition.all else or_(*parts)
