"""Which tier a customer holds: state and figures at a moment give the next state. Pure.

Two things happen, at different moments. *Getting in* is looked at whenever something is known of
a customer; the highest tier whose entry condition holds is the fitting one. *Staying* is looked at
in a review: when a period ends, or at once where the settings say so.
"""

from dataclasses import replace
from datetime import date, timedelta

from crmkit_tiers.conditions import Figures, holds
from crmkit_tiers.periods import DAY, period_end
from crmkit_tiers.settings import TierSet
from crmkit_tiers.states import Cause, Decision, Moment, Source, State


def fitting_rank(tier_set: TierSet, figures: Figures) -> int:
    """Return the place of the highest tier whose entry condition holds."""
    for rank in range(len(tier_set.tiers) - 1, 0, -1):
        entry = tier_set.tiers[rank].entry
        if entry is not None and holds(entry, figures):
            return rank
    return 0


def stays(tier_set: TierSet, rank: int, figures: Figures) -> bool:
    """Tell whether a tier's stay condition holds, or its entry condition where it has none."""
    tier = tier_set.tiers[rank]
    condition = tier.stay or tier.entry
    return condition is None or holds(condition, figures)


def evaluate(
    tier_set: TierSet, state: State | None, figures: Figures, moment: Moment, joined_on: date
) -> Decision | None:
    """Return what becomes of a customer's tier at a moment; None if nothing.

    Args:
        state: None for a customer who is looked at for the first time.
        figures: a value for each of `tier_set.keys`, over windows that end with the moment.
        joined_on: the customer's first business day; used if there is no state.
    """
    best = fitting_rank(tier_set, figures)
    if state is None:
        first = best if tier_set.upgrade == "at_once" else 0
        before = State("", moment.as_of_on, joined_on)
        return Decision(Cause.JOINED, _entered(tier_set, before, first, moment))
    if state.frozen_reason is not None and _is_locked(state, moment):
        return None
    if best > tier_set.rank(state.tier) and (tier_set.upgrade == "at_once" or moment.ends_period):
        return Decision(Cause.UPGRADE, _entered(tier_set, state, best, moment))
    if state.valid_until_on is None and _renewed(tier_set, state, moment).valid_until_on:
        return Decision(Cause.KEPT, _renewed(tier_set, state, moment))  # rules did not set a day
    is_reviewed = moment.is_review or state.at_risk_on is not None
    if not is_reviewed or _is_locked(state, moment):
        return None
    return _review(tier_set, state, best, figures, moment)


def _review(
    tier_set: TierSet, state: State, best: int, figures: Figures, moment: Moment
) -> Decision | None:
    current = tier_set.rank(state.tier)
    is_assigned = state.source is Source.MANUAL
    never_falls = tier_set.downgrade == "none" and not is_assigned
    if best >= current or never_falls or stays(tier_set, current, figures):
        if not moment.ends_period and state.at_risk_on is None and not is_assigned:
            return None
        return Decision(Cause.KEPT, _renewed(tier_set, state, moment))
    if is_assigned:
        return Decision(Cause.ASSIGNMENT_ENDED, _entered(tier_set, state, best, moment))
    if state.at_risk_on is not None:
        if not moment.ends_period:
            return None
    elif tier_set.grace_days:
        until = moment.as_of_on + timedelta(days=tier_set.grace_days)
        risky = replace(state, at_risk_on=moment.as_of_on, at_risk_until_on=until)
        return Decision(Cause.AT_RISK, risky)
    target = max(best, current - 1) if tier_set.downgrade == "one_step" else best
    return Decision(Cause.DOWNGRADE, _entered(tier_set, state, target, moment))


def _is_locked(state: State, moment: Moment) -> bool:
    """Tell whether a lock lasts beyond what changes at a moment."""
    return state.locked_until_on is not None and moment.effective_on <= state.locked_until_on


def _entered(tier_set: TierSet, state: State, rank: int, moment: Moment) -> State:
    locked = state.locked_until_on if _is_locked(state, moment) else None
    return State(
        tier_set.tiers[rank].name,
        moment.effective_on,
        state.joined_on,
        _valid_until(tier_set, rank, moment.effective_on, state.joined_on),
        locked_until_on=locked,
    )


def _renewed(tier_set: TierSet, state: State, moment: Moment) -> State:
    rank = tier_set.rank(state.tier)
    from_on = state.at_risk_on + DAY if state.at_risk_on else moment.effective_on
    until = _valid_until(tier_set, rank, from_on, state.joined_on)
    return State(state.tier, state.since_on, state.joined_on, until)


def _valid_until(tier_set: TierSet, rank: int, from_on: date, joined_on: date) -> date | None:
    """Return the end of a tier's period; None where no review could change anything."""
    may_rise = tier_set.upgrade == "at_period_end" and rank < len(tier_set.tiers) - 1
    may_fall = rank > 0 and tier_set.downgrade != "none"
    return period_end(tier_set, from_on, joined_on) if may_rise or may_fall else None


def assigned(
    state: State | None,
    tier: str,
    moment: Moment,
    until_on: date,
    joined_on: date,
    frozen_reason: str | None,
) -> State:
    """Return the state of a customer who is given a tier by hand.

    Args:
        until_on: last day on which no rule lowers it; then staying is looked at.
        joined_on: the customer's first business day; used if there is no state.
        frozen_reason: why no rule moves it at all until then; None if it may rise.
    """
    is_same = state is not None and state.tier == tier
    return State(
        tier,
        state.since_on if state is not None and is_same else moment.effective_on,
        state.joined_on if state is not None else joined_on,
        until_on,
        Source.MANUAL,
        locked_until_on=until_on,
        frozen_reason=frozen_reason,
    )
