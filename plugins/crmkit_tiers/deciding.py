"""Deciding for many customers at once: reviews that are due first, then what holds now.

Reads figures, writes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session

from crmkit_tiers.conditions import Figures
from crmkit_tiers.evaluation import evaluate
from crmkit_tiers.figures import Metrics, Span, load_figures
from crmkit_tiers.periods import window_start
from crmkit_tiers.progress import gaps
from crmkit_tiers.settings import TierSet
from crmkit_tiers.states import Cause, Moment, State


class Subject(NamedTuple):
    """A customer to be looked at.

    Attributes:
        state: None if this is the first time.
        as_of_on: the day to look at; periods that ended before it are reviewed first.
        joined_on: first business day.
        effective_at: when what changes happens.
        is_review: whether staying is looked at on that day, too.
    """

    customer_id: UUID
    state: State | None
    as_of_on: date
    joined_on: date
    effective_at: datetime
    is_review: bool


class Change(NamedTuple):
    """A decision with everything that led to it.

    Attributes:
        span: the days of the figures.
    """

    subject: Subject
    cause: Cause
    before: State | None
    after: State
    moment: Moment
    span: Span
    figures: Figures


def decide(
    session: Session, tier_set: TierSet, metrics: Metrics, subjects: Sequence[Subject]
) -> list[Change]:
    """Return the changes of some customers in one tier set, each customer's in order."""
    states = {subject.customer_id: subject.state for subject in subjects}
    changes: list[Change] = []
    due = [(subject, moment) for subject in subjects if (moment := _due(subject, subject.state))]
    while due:
        made = _decide_at(session, tier_set, metrics, due, states)
        changes += made
        due = [
            (change.subject, moment)
            for change in made
            if (moment := _due(change.subject, change.after))
        ]
    now = [(each, Moment(each.as_of_on, is_review=each.is_review)) for each in subjects]
    return changes + _decide_at(session, tier_set, metrics, now, states)


def _due(subject: Subject, state: State | None) -> Moment | None:
    """Return the moment of a review that should have been, if there is one."""
    if state is None or state.review_on is None or state.review_on >= subject.as_of_on:
        return None
    return Moment(state.review_on, ends_period=True, is_review=True)


def _decide_at(
    session: Session,
    tier_set: TierSet,
    metrics: Metrics,
    moments: Sequence[tuple[Subject, Moment]],
    states: dict[UUID, State | None],
) -> list[Change]:
    spans = [
        span_of(tier_set, states[subject.customer_id], moment, subject)
        for subject, moment in moments
    ]
    figures = load_figures(session, tier_set, metrics, spans)
    changes = []
    for (subject, moment), span in zip(moments, spans, strict=True):
        who, before = subject.customer_id, states[subject.customer_id]
        decision = evaluate(tier_set, before, figures[who], moment, subject.joined_on)
        if decision is not None:
            states[who] = decision.state
            changes.append(
                Change(subject, decision.cause, before, decision.state, moment, span, figures[who])
            )
    return changes


def span_of(tier_set: TierSet, state: State | None, moment: Moment, subject: Subject) -> Span:
    """Return the days that count for a customer at a moment.

    While days of grace run, windows begin where they did in the review, and stay open.
    """
    anchor = state.at_risk_on if state is not None and state.at_risk_on else moment.as_of_on
    joined_on = state.joined_on if state else subject.joined_on
    since_on = state.since_on if state else subject.joined_on
    starts = [window_start(key, anchor, joined_on, since_on) for key in tier_set.keys]
    return Span(subject.customer_id, moment.as_of_on, starts)


def explanation(tier_set: TierSet, change: Change) -> Mapping[str, object]:
    """Return the inputs of a decision as data: enough to decide again by the same rules."""
    before = change.before
    return {
        "version": 1,
        "as_of_on": change.moment.as_of_on,
        "ends_period": change.moment.ends_period,
        "is_review": change.moment.is_review,
        "joined_on": change.after.joined_on,
        "before": None
        if before is None
        else {name: getattr(before, name) for name in State.__dataclass_fields__},
        "figures": [
            {
                "metric": key.metric,
                "window": key.window,
                "days": key.days,
                "from": start,
                "to": change.span.until,
                "value": format(change.figures[key], "f"),
            }
            for key, start in zip(tier_set.keys, change.span.starts, strict=True)
        ],
        **_missing(tier_set, change),
    }


def _missing(tier_set: TierSet, change: Change) -> Mapping[str, object]:
    """Return what a tier at risk lacks, for those who warn the customer."""
    if change.cause is not Cause.AT_RISK:
        return {}
    tier = tier_set.tiers[tier_set.rank(change.after.tier)]
    day, until_on = change.moment.as_of_on, change.after.at_risk_until_on
    return {
        "missing": [
            {
                "metric": gap.key.metric,
                "path": gap.path,
                "missing": format(gap.missing, "f"),
                "until_on": gap.until_on,
            }
            for gap in gaps(tier.stay or tier.entry, change.figures, day, until_on)
        ]
    }
