"""What is missing for a tier, and where a review would lead with today's figures. Pure."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from crmkit_tiers.conditions import Condition, FigureKey, Figures
from crmkit_tiers.evaluation import evaluate
from crmkit_tiers.settings import TierSet
from crmkit_tiers.states import Cause, Moment, State


class Gap(NamedTuple):
    """A condition that does not hold yet.

    Attributes:
        path: its place in the condition, such as `all.0`; of several below one `any`, one is
            enough.
        missing: what the figure lacks, in units of the metric.
        until_on: last day on which it can be met; None where no day is set.
    """

    path: str
    key: FigureKey
    value: Decimal
    target: Decimal
    missing: Decimal
    until_on: date | None


class Progress(NamedTuple):
    """Where a customer stands in a tier set.

    Attributes:
        to_rise: what is missing for the next tier.
        to_stay: what is missing to keep the tier at the next review.
        review_on: last day before staying is looked at.
        projected_tier: what the review would lead to with the figures of today.
    """

    tier: str
    next_tier: str | None
    to_rise: tuple[Gap, ...]
    to_stay: tuple[Gap, ...]
    review_on: date | None
    projected_tier: str


def progress(tier_set: TierSet, state: State | None, figures: Figures, today: date) -> Progress:
    """Return where a customer stands; whoever has no state yet stands in the first tier."""
    tiers = tier_set.tiers
    held = state or State(tiers[0].name, today, today)
    rank = max(tier_set.rank(held.tier), 0)
    above = tiers[rank + 1] if rank + 1 < len(tiers) else None
    rise_by = held.review_on if tier_set.upgrade == "at_period_end" else None
    stay = tiers[rank].stay or tiers[rank].entry
    return Progress(
        held.tier,
        above.name if above else None,
        gaps(above.entry if above else None, figures, today, rise_by),
        gaps(stay, figures, held.at_risk_on or today, held.review_on),
        held.review_on,
        _projected(tier_set, held, figures, today),
    )


def gaps(
    condition: Condition | None, figures: Figures, anchor: date, by: date | None
) -> tuple[Gap, ...]:
    """Return what is missing for a condition; what must not hold cannot be bought and is left out.

    Args:
        anchor: the day the figures' windows belong to.
        by: last day that is set from outside, such as that of a review.
    """
    return tuple(_gaps(condition, figures, anchor, by)) if condition else ()


def _gaps(condition: Condition, figures: Figures, anchor: date, by: date | None) -> Iterator[Gap]:
    for path, leaf in condition.leaves():
        target, value = leaf.at_least, figures[leaf.key]
        if target is None or value >= target or "not" in path.split("."):
            continue
        days = [by] if by else []
        if leaf.window == "calendar_year":
            days.append(max(date(anchor.year, 12, 31), by or date.min))
        yield Gap(
            path.removeprefix("."), leaf.key, value, target, target - value, min(days, default=None)
        )


def _projected(tier_set: TierSet, held: State, figures: Figures, today: date) -> str:
    """Return the tier after the next review; days of grace are taken to change nothing."""
    end = Moment(max(today, held.review_on or today), ends_period=True, is_review=True)
    decision = evaluate(tier_set, held, figures, end, held.joined_on)
    if decision is not None and decision.cause is Cause.AT_RISK:
        decision = evaluate(tier_set, decision.state, figures, end, held.joined_on)
    return decision.state.tier if decision else held.tier
