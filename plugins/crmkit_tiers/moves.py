"""Who would hold another tier under other rules: two copies of a shop side by side."""

from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import nlargest
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from crmkit import table_of
from crmkit_tiers.models import TierMembership
from crmkit_tiers.settings import TierSet

LISTED_MAX = 10_000
_PAGE = 5_000
_membership = table_of(TierMembership)


class Move(NamedTuple):
    """A customer's tier under both rules; None where the set is missing."""

    tier_set: str
    customer_id: UUID
    before: str | None
    after: str | None


class Moves(NamedTuple):
    """How customers are spread over both.

    Attributes:
        counts: how many there are, by tier set, tier before and tier after.
        listed: those who would move, by tier set, the furthest first; at most `LISTED_MAX`.
    """

    counts: Mapping[tuple[str, str | None, str | None], int]
    listed: list[Move]


def moves_between(
    before: Session,
    after: Session,
    sets_before: Mapping[str, TierSet],
    sets_after: Mapping[str, TierSet],
) -> Moves:
    """Compare what customers hold in two copies."""
    counts: Counter[tuple[str, str | None, str | None]] = Counter()

    def moved() -> Iterator[Move]:
        for name in sorted(sets_before.keys() | sets_after.keys()):
            for move in _side_by_side(before, after, name):
                counts[name, move.before, move.after] += 1
                if move.before != move.after:
                    yield move

    def distance(move: Move) -> int:
        ranks = [
            sets[move.tier_set].rank(tier)
            for sets, tier in ((sets_before, move.before), (sets_after, move.after))
            if tier is not None and move.tier_set in sets
        ]
        return abs(ranks[0] - ranks[-1])

    listed = nlargest(LISTED_MAX, moved(), key=lambda m: (distance(m), -m.customer_id.int))
    return Moves(counts, sorted(listed, key=lambda m: (m.tier_set, -distance(m), m.customer_id)))


def _side_by_side(before: Session, after: Session, name: str) -> Iterator[Move]:
    """Give everybody who holds a tier in either copy, by the customer's id."""
    left, right = _held(before, name), _held(after, name)
    one, other = next(left, None), next(right, None)
    while one or other:
        who = min(each[0] for each in (one, other) if each)
        was = one[1] if one and one[0] == who else None
        is_ = other[1] if other and other[0] == who else None
        yield Move(name, who, was, is_)
        one = next(left, None) if was is not None else one
        other = next(right, None) if is_ is not None else other


def _held(session: Session, name: str) -> Iterator[tuple[UUID, str]]:
    statement = (
        select(_membership.c.customer_id, _membership.c.tier)
        .where(_membership.c.tier_set == name)
        .order_by(_membership.c.customer_id)
    )
    found = session.execute(statement, execution_options={"yield_per": _PAGE})
    yield from found
