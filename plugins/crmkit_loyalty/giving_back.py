"""Points that come back when goods do which they had paid for. Pure, but for what it is given.

They go back to the lots they came from, with the dates these have; the lot that expires last comes
first. Of points whose lot has expired meanwhile the settings say what becomes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from crmkit import wire_instant
from crmkit_loyalty.book import Book
from crmkit_loyalty.entries import Draft, Posted
from crmkit_loyalty.lots import Part
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.point_kinds import RedemptionTerms

VERSION = 1


class Spent(NamedTuple):
    """A redemption that paid for a sale.

    Attributes:
        entry: the redemption, its points negative.
        value_minor: what it paid, in minor units.
    """

    sale_id: UUID
    entry: Posted
    value_minor: int


class Given(NamedTuple):
    """An entry that gave points of a redemption back.

    Attributes:
        points: less what was undone since.
        lots: points by the entry that opened the lot they came from; empty if all was undone.
    """

    points: int
    lots: Mapping[str, int]


class Cause(NamedTuple):
    """What made points come back, such as a return; the names are those of `Draft`."""

    source: str
    source_id: UUID
    occurred_at: datetime
    reason: str
    actor: str | None = None


def refunded_share(order: str, share: Fraction, value_minor: int, total_minor: int) -> Fraction:
    """Return which part of the points that paid for a sale is to come back by now, 0 to 1.

    Args:
        order: `proportion`, `money_first` or `points_first`.
        share: how much of the sale's value came back by now.
        value_minor: what points paid of the sale.
        total_minor: what its goods cost.
    """
    by_points = min(value_minor, total_minor)
    if order == "proportion" or by_points <= 0:
        return share
    back = share * total_minor
    if order == "points_first":
        return min(Fraction(1), back / by_points)
    return max(Fraction(), back - (total_minor - by_points)) / by_points


def give_back(
    book: Book,
    spent: Posted,
    points: int,
    parts: Sequence[Part],
    given: Iterable[Given],
    cause: Cause,
    terms: RedemptionTerms,
) -> dict[UUID, Given]:
    """Post what gives points of a redemption back.

    Args:
        points: how many.
        parts: what the redemption took from lots, in the order of use.
        given: what was given back of it before.

    Returns:
        What each entry that was posted gave back.
    """
    at = cause.occurred_at
    chosen = _choose(points, parts, given)
    is_lost = terms.refund_expired == "lost"
    to_lots = [part for part in chosen if is_lost or part[0].expires_at > at]
    expired = [part for part in chosen if part not in to_lots]
    draft = Draft(
        spent.customer_id, EntryKind.REVERSAL, 0, at, "", {"version": VERSION},
        source=cause.source, source_id=cause.source_id, reason=cause.reason, actor=cause.actor,
        reverses=spent,
        point_kind=spent.point_kind,
    )  # fmt: skip
    posted: dict[UUID, Given] = {}
    if to_lots:
        lapsed = sum(points for lot, points in to_lots if lot.expires_at <= at)
        inputs = {**draft.explanation, "redeemed": -spent.points_delta, "lapsed": lapsed}
        total = sum(points for _, points in to_lots)
        draft_of_lots = draft._replace(rule="give_back", points_delta=total, explanation=inputs)
        posted[book.give_back(draft_of_lots, to_lots).id] = Given(total, _listed(to_lots))
    if expired:
        until = at + timedelta(days=terms.refund_days)
        posted |= _post_new(book, draft, "reinstate", expired, (at, until))
    lacking = points - sum(points for _, points in chosen)
    if lacking:
        lifetime = book.settings.terms_of(spent.point_kind).lifetime
        dates = at, lifetime.expires_at(at)
        posted |= _post_new(book, draft, "give_back_anew", [], dates, lacking)
    return posted


def _post_new(
    book: Book,
    draft: Draft,
    rule: str,
    instead_of: Sequence[Part],
    dates: tuple[datetime, datetime | None],
    more: int = 0,
) -> dict[UUID, Given]:
    """Post points that come back in a lot of their own."""
    told = [wire_instant(at) if at else None for at in dates]
    lots = _listed(instead_of)
    inputs = {**draft.explanation, "instead_of": lots, "dates": told}
    points = more + sum(lots.values())
    posted = book.post(
        draft._replace(rule=rule, points_delta=points, explanation=inputs, dates=dates)
    )
    return {posted.id: Given(points, lots)}


def _listed(parts: Iterable[Part]) -> Mapping[str, int]:
    return {lot.entry_id.hex: points for lot, points in parts}


def _choose(points: int, parts: Sequence[Part], given: Iterable[Given]) -> list[Part]:
    """Return how many points go back to which lot: the one used last comes first."""
    back: dict[str, int] = {}
    for each in given:
        for entry_id, some in each.lots.items():
            back[entry_id] = back.get(entry_id, 0) + some
    chosen = []
    for lot, taken in reversed(parts):
        out = min(taken - back.get(lot.entry_id.hex, 0), lot.points - lot.left, points)
        if out > 0:
            chosen.append((lot, out))
            points -= out
    return chosen


def given_by(points: int, undone: int, explanation: Mapping[str, Any]) -> Given:
    """Return what an entry gave back.

    Args:
        points: what it gave.
        undone: how many of them were taken again since.
    """
    lots = {} if undone else explanation.get("lots") or explanation.get("instead_of") or {}
    return Given(points - undone, lots)
