"""A model of points that a person can follow: each point is a thing of its own."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import NamedTuple

REINSTATED = timedelta(days=30)


class Point(NamedTuple):
    """One point: it sorts in the order in which points go.

    Attributes:
        until: first instant at which it is worth nothing.
        since: first instant at which it can be spent.
        gift: which gift it came with.
    """

    until: datetime
    since: datetime
    gift: int


@dataclass
class Earning:
    """What one rule gave for a sale: the weights say whose goods it was for."""

    points: int
    weights: list[Fraction]
    gift: int = 0
    expired: int = 0


class Purse:
    """The points of one customer. Points whose time has come are gone at once."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.debt = 0
        self.sizes: dict[int, int] = {}
        self.earnings: dict[int, Earning] = {}

    def give(
        self, count: int, until: datetime, since: datetime, earning: Earning | None = None
    ) -> int:
        """Give points, debts being paid first; returns which gift it is."""
        gift = len(self.sizes) + 1
        self.sizes[gift] = count
        if earning is not None:
            self.earnings[gift] = earning
        self.points += [Point(until, since, gift)] * count
        self.settle([gift])
        return gift

    def settle(self, gifts: "list[int] | None" = None) -> None:
        """Pay debts from the points of some gifts, or of all."""
        self.points.sort()
        paying = [point for point in self.points if gifts is None or point.gift in gifts]
        for point in paying[: self.debt]:
            self.points.remove(point)
            self.debt -= 1

    def take(self, count: int, gift: int = 0) -> int:
        """Take points, those of a gift first; returns how many are missing, which become debt."""
        self.points.sort(key=lambda point: (point.gift != gift, *point))
        missing = max(0, count - len(self.points))
        del self.points[:count]
        self.points.sort()
        self.debt += missing
        return missing

    def available(self, now: datetime) -> list[Point]:
        """Return the points that can be spent, in the order in which they go."""
        return sorted(point for point in self.points if point.since <= now < point.until)

    def spend(self, count: int, now: datetime) -> list[Point]:
        """Take points that can be spent, and return them."""
        spent = self.available(now)[:count]
        for point in spent:
            self.points.remove(point)
        return spent

    def room(self, gift: int) -> int:
        """Return how many points of a gift are not here."""
        return self.sizes[gift] - sum(point.gift == gift for point in self.points)

    def lapse(self, now: datetime) -> None:
        """Let the points go whose time has come."""
        for point in [point for point in self.points if point.until <= now]:
            self.points.remove(point)
            if point.gift in self.earnings:
                self.earnings[point.gift].expired += 1


@dataclass
class Paid:
    """Points that were redeemed.

    Attributes:
        spent: the points, in the order in which they went.
        back: for what gave some back, how many of each gift, and the gifts made for the others.
    """

    owner: str
    spent: list[Point]
    back: dict[str, "Back"] = field(default_factory=dict)
    is_cancelled: bool = False

    @property
    def given(self) -> int:
        """How many points have come back."""
        return sum(each.total for each in self.back.values())

    def out(self, gift: int) -> int:
        """How many points of a gift have not come back."""
        gone = sum(point.gift == gift for point in self.spent)
        return gone - sum(each.of_gift.get(gift, 0) for each in self.back.values())


@dataclass
class Back:
    """Points that came back once.

    Attributes:
        of_gift: how many of each gift they had come with.
        to_lots: how many went where they came from.
        anew: gifts made for the others, with their sizes, in the order made.
    """

    of_gift: dict[int, int] = field(default_factory=dict)
    to_lots: int = 0
    anew: list[tuple[int, int]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many points came back."""
        return self.to_lots + sum(size for _, size in self.anew)


def give_back(
    purse: Purse, paid: Paid, share: Fraction, now: datetime, until: datetime
) -> Back | None:
    """Give points back that are due: the last to go come first, late ones for 30 days.

    Args:
        share: how much of what they paid for came back by now.
        until: when points expire that have no place any more.
    """
    wanted = floor(len(paid.spent) * share) - paid.given
    if wanted <= 0:
        return None
    back, expired = Back(), 0
    for lot in sorted(set(paid.spent), reverse=True):
        count = min(paid.out(lot.gift), purse.room(lot.gift), wanted)
        if count <= 0:
            continue
        wanted -= count
        back.of_gift[lot.gift] = count
        if lot.until > now:
            purse.points += [lot] * count
            back.to_lots += count
        else:
            expired += count
    if back.to_lots:
        purse.settle()
    for count, end in ((expired, now + REINSTATED), (wanted, until)):
        if count:
            back.anew.append((purse.give(count, end, now), count))
    return back
