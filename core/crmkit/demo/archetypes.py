"""How demo customers behave over time: the part of the truth that churn models must find."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from types import MappingProxyType


class Archetype(StrEnum):
    """A way of coming back, or not."""

    LOYAL = "loyal"
    REGULAR = "regular"
    GROWING = "growing"
    BARGAIN_HUNTER = "bargain_hunter"
    OCCASIONAL = "occasional"
    LAPSED_RETURNED = "lapsed_returned"
    LEAVER = "leaver"
    GIFT_SEASON = "gift_season"
    ONE_TIME = "one_time"


SHARES: Mapping[Archetype, int] = MappingProxyType(
    {
        Archetype.LOYAL: 9,
        Archetype.REGULAR: 22,
        Archetype.GROWING: 7,
        Archetype.BARGAIN_HUNTER: 9,
        Archetype.OCCASIONAL: 17,
        Archetype.LAPSED_RETURNED: 7,
        Archetype.LEAVER: 12,
        Archetype.GIFT_SEASON: 6,
        Archetype.ONE_TIME: 11,
    }
)
"""Customers of each archetype, in percent."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One customer's way of coming back.

    Attributes:
        joined_on: day of the first purchase, or the first day one is possible.
        interval_days: mean gap between purchases; None where gaps follow no rule.
        interval_spread: standard deviation of the gap, as a share of it.
        final_interval_days: the gap at the end of the data, for a growing customer.
        leaves_on: last day a leaver may buy.
        lapsed_from, lapsed_until: first and last day of a pause without any purchase.
        basket_lines: mean number of lines of a basket.
        promotion_share: share of picks made among the week's promotions.
    """

    archetype: Archetype
    joined_on: date
    interval_days: float | None = None
    interval_spread: float | None = None
    final_interval_days: float | None = None
    leaves_on: date | None = None
    lapsed_from: date | None = None
    lapsed_until: date | None = None
    basket_lines: float = 2.0
    promotion_share: float = 0.0

    def is_active_on(self, day: date) -> bool:
        """Say whether the customer deals with the shop at all on `day`."""
        if day < self.joined_on or (self.leaves_on is not None and day > self.leaves_on):
            return False
        if self.lapsed_from is None or self.lapsed_until is None:
            return True
        return not self.lapsed_from <= day <= self.lapsed_until


def assign_archetypes(rng: Random, customers: int) -> list[Archetype]:
    """Return one archetype per customer, in the planted shares, shuffled."""
    order = list(SHARES)
    exact = [customers * SHARES[one] / 100 for one in order]
    counts = [int(share) for share in exact]
    by_rest = sorted(range(len(order)), key=lambda i: counts[i] - exact[i])
    for i in by_rest[: customers - sum(counts)]:
        counts[i] += 1
    dealt = [one for one, count in zip(order, counts, strict=True) for _ in range(count)]
    rng.shuffle(dealt)
    return dealt


def draw_behaviour(rng: Random, archetype: Archetype, first_on: date, last_on: date) -> Behaviour:
    """Return the parameters of one customer.

    Args:
        first_on: first day of the data.
        last_on: last day of the data.
    """
    return _DRAWS[archetype](rng, first_on, last_on)


def _between(rng: Random, first_on: date, last_on: date, low: float, high: float) -> date:
    """Return a day between two shares of the whole period."""
    days = (last_on - first_on).days
    return first_on + timedelta(rng.randint(int(days * low), int(days * high)))


def _loyal(rng: Random, first_on: date, last_on: date) -> Behaviour:
    joined_on = _between(rng, first_on, last_on, 0, 0.1)
    interval = round(rng.uniform(9, 14), 1)
    return Behaviour(Archetype.LOYAL, joined_on, interval, 0.2, basket_lines=2.4)


def _regular(rng: Random, first_on: date, last_on: date) -> Behaviour:
    joined_on = _between(rng, first_on, last_on, 0, rng.choice((0.1, 0.1, 0.7)))
    return Behaviour(Archetype.REGULAR, joined_on, round(rng.uniform(20, 44), 1), 0.25)


def _growing(rng: Random, first_on: date, last_on: date) -> Behaviour:
    joined_on = _between(rng, first_on, last_on, 0, 0.2)
    return Behaviour(
        Archetype.GROWING,
        joined_on,
        interval_days=round(rng.uniform(35, 50), 1),
        interval_spread=0.2,
        final_interval_days=round(rng.uniform(9, 14), 1),
    )


def _bargain_hunter(rng: Random, first_on: date, last_on: date) -> Behaviour:
    joined_on = _between(rng, first_on, last_on, 0, 0.3)
    interval = round(rng.uniform(18, 36), 1)
    return Behaviour(Archetype.BARGAIN_HUNTER, joined_on, interval, 0.5, promotion_share=0.9)


def _occasional(rng: Random, first_on: date, last_on: date) -> Behaviour:
    joined_on = _between(rng, first_on, last_on, 0, 0.6)
    interval = round(rng.uniform(70, 140), 1)
    return Behaviour(Archetype.OCCASIONAL, joined_on, interval, 0.6, basket_lines=1.6)


def _lapsed_returned(rng: Random, first_on: date, last_on: date) -> Behaviour:
    joined_on = _between(rng, first_on, last_on, 0, 0.08)
    lapsed_from = _between(rng, first_on, last_on, 0.3, 0.45)
    lapsed_until = _between(rng, first_on, last_on, 0.68, 0.8)
    return Behaviour(
        Archetype.LAPSED_RETURNED,
        joined_on,
        interval_days=round(rng.uniform(10, 24), 1),
        interval_spread=0.25,
        lapsed_from=lapsed_from,
        lapsed_until=lapsed_until,
    )


def _leaver(rng: Random, first_on: date, last_on: date) -> Behaviour:
    joined_on = _between(rng, first_on, last_on, 0, 0.2)
    interval = round(rng.uniform(12, 30), 1)
    leaves_on = _between(rng, first_on, last_on, 0.45, 0.8)
    return Behaviour(Archetype.LEAVER, joined_on, interval, 0.25, leaves_on=leaves_on)


def _gift_season(rng: Random, first_on: date, last_on: date) -> Behaviour:
    return Behaviour(Archetype.GIFT_SEASON, first_on)


def _one_time(rng: Random, first_on: date, last_on: date) -> Behaviour:
    return Behaviour(Archetype.ONE_TIME, _between(rng, first_on, last_on, 0, 1))


_DRAWS: Mapping[Archetype, Callable[[Random, date, date], Behaviour]] = MappingProxyType(
    {
        Archetype.LOYAL: _loyal,
        Archetype.REGULAR: _regular,
        Archetype.GROWING: _growing,
        Archetype.BARGAIN_HUNTER: _bargain_hunter,
        Archetype.OCCASIONAL: _occasional,
        Archetype.LAPSED_RETURNED: _lapsed_returned,
        Archetype.LEAVER: _leaver,
        Archetype.GIFT_SEASON: _gift_season,
        Archetype.ONE_TIME: _one_time,
    }
)
