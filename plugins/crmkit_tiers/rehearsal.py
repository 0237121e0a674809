"""Recording a shop's history in a copy that has certain tier sets, with a review each day."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import func, select
from sqlmodel import Session

from crmkit import Crm, table_of
from crmkit.models import Transaction
from crmkit.rehearsing import Fact, Period, copy_metrics, replay
from crmkit_tiers.kept_assignments import LeftOut, kept_assignments
from crmkit_tiers.models import TierMembership
from crmkit_tiers.reviewing import review_page
from crmkit_tiers.settings import TiersSettings

_DAY = timedelta(days=1)
_membership, _sale = table_of(TierMembership), table_of(Transaction)

Sizes = Mapping[tuple[str, str], int]
"""How many customers hold a tier, by tier set and tier; without those that nobody holds."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of the tiers in a copy.

    Attributes:
        copy: the shop as it would have been at the end of the last day.
        sizes: how many held each tier at the end of the last day of each month.
        left_out: tiers given by hand that the rules do not have.
    """

    copy: Crm
    sizes: dict[date, Sizes] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def settings(self) -> TiersSettings:
        """The tier sets of the copy."""
        return cast(TiersSettings, self.copy.registry["tiers"].settings)


def rehearse(crm: Crm, shop: Session, copy: Crm, period: Period) -> Rehearsed:
    """Record everything that happened until the end of a period in a copy.

    Sales are looked at one by one, and the review of all customers is run at the beginning of each
    day, before its first sale.

    Args:
        shop: reading session of `crm`.
        copy: an empty one.
    """
    made = Rehearsed(copy)
    used = {key.metric for tier_set in made.settings.sets.values() for key in tier_set.keys}
    copy_metrics(crm.registry, shop, copy, used)
    assignments = kept_assignments(
        shop, period.until, period.zone, made.settings, copy.registry.metrics, made.left_out
    )
    mornings = _mornings(made, period, _first_day(shop, period))
    replay(shop, copy, period.until, heapq.merge(mornings, assignments, key=lambda fact: fact.at))
    with copy.read() as session:
        made.sizes[period.last] = _sizes(session)
    return made


def _first_day(shop: Session, period: Period) -> date:
    first = shop.scalar(select(func.min(_sale.c.occurred_at)))
    return min(period.first, first.astimezone(period.zone).date()) if first else period.first


def _mornings(made: Rehearsed, period: Period, first: date) -> Iterator[Fact]:
    ends = {end for end in period.month_ends() if end != period.last}
    metrics = made.copy.registry.metrics
    for number in range((period.last - first).days + 1):
        day = first + number * _DAY
        at = period.start_of(day)

        def begin(session: Session, day: date = day, at: datetime = at) -> None:
            if day - _DAY in ends:
                made.sizes[day - _DAY] = _sizes(session)
            while review_page(session, made.settings, metrics, now=at, today=day):
                pass

        yield Fact(at, None, begin)


def _sizes(session: Session) -> Sizes:
    statement = select(_membership.c.tier_set, _membership.c.tier, func.count()).group_by(
        _membership.c.tier_set, _membership.c.tier
    )
    return {(name, tier): size for name, tier, size in session.execute(statement)}
