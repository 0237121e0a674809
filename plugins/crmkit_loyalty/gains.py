"""Who would have earned more or less: two copies of a shop side by side. Pure."""

from collections import Counter
from collections.abc import Iterator
from heapq import nlargest
from typing import NamedTuple
from uuid import UUID

from crmkit_loyalty.rehearsed_figures import Earned

LISTED_MAX = 10_000


class Difference(NamedTuple):
    """What a customer earned under both rules."""

    point_kind: str
    customer_id: UUID
    before: int
    after: int

    @property
    def points(self) -> int:
        """How many more points there are under the new rules."""
        return self.after - self.before


def compare(
    before: Iterator[Earned], after: Iterator[Earned]
) -> tuple[Counter[tuple[str, str]], list[Difference]]:
    """Return how many customers gain and lose, and who they are, the greatest changes first."""
    counts: Counter[tuple[str, str]] = Counter()

    def changed() -> Iterator[Difference]:
        for each in _side_by_side(before, after):
            what = "gain" if each.points > 0 else "lose" if each.points < 0 else "same"
            counts[each.point_kind, what] += 1
            if each.points:
                yield each

    listed = nlargest(
        LISTED_MAX, changed(), key=lambda each: (abs(each.points), -each.customer_id.int)
    )
    return counts, listed


def _side_by_side(before: Iterator[Earned], after: Iterator[Earned]) -> Iterator[Difference]:
    one, other = next(before, None), next(after, None)
    while one or other:
        key = min(each[:2] for each in (one, other) if each)
        was = one.points if one and one[:2] == key else 0
        is_ = other.points if other and other[:2] == key else 0
        yield Difference(*key, was, is_)
        one = next(before, None) if one and one[:2] == key else one
        other = next(after, None) if other and other[:2] == key else other
