"""The points book against a model that a person can follow: each point is a thing of its own."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from crmkit.testing import NOON
from crmkit_loyalty.book import months_later
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.lots import NEVER
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

who = st.sampled_from(["ann", "bob"])
price = st.integers(1, 3000).map(lambda minor: f"{minor / 100:.2f}")


class Purse:
    """The points of one customer: until when each is good, which gift it came with, whose sale.

    Points whose time has come are gone at once, whenever the job runs.
    """

    def __init__(self) -> None:
        self.points: list[tuple[datetime, int, Sale | None]] = []
        self.debt = 0
        self.gifts = 0

    def give(self, count: int, until: datetime, sale: "Sale | None" = None) -> int:
        """Give points, debts being paid first; returns which gift it is."""
        self.gifts += 1
        paid = min(self.debt, count)
        self.debt -= paid
        self.points += [(until, self.gifts, sale)] * (count - paid)
        self.points.sort(key=lambda point: point[:2])
        return self.gifts

    def take(self, count: int, gift: int = 0) -> int:
        """Take points, those of a gift first; returns how many are missing, which become debt."""
        self.points.sort(key=lambda point: (point[1] != gift, *point[:2]))
        missing = max(0, count - len(self.points))
        del self.points[:count]
        self.points.sort(key=lambda point: point[:2])
        self.debt += missing
        return missing

    def let_time_pass(self, now: datetime) -> None:
        for _, _, sale in (gone := [point for point in self.points if point[0] <= now]):
            if sale is not None:
                sale.expired += 1
        self.points = self.points[len(gone) :]


class Sale:
    """A sale as the model knows it: what it earned and what came back."""

    def __init__(self, name: str, owner: str | None, items: list[tuple[str, str, str]]) -> None:
        self.name, self.owner, self.items = name, owner, items
        self.left = [int(quantity) for _, quantity, _ in items]
        self.returns: dict[str, list[int]] = {}
        self.events: list[tuple[str, list[int] | None]] = []
        self.counted: list[list[int]] = []
        self.undone: set[str] = set()
        self.dues: dict[str, tuple[int, int, int]] = {}
        self.earned = self.gift = self.expired = 0
        self.until = NEVER
        self.is_voided = False

    @property
    def value(self) -> Fraction:
        return sum((int(q) * Fraction(p) for _, q, p in self.items), Fraction())

    @property
    def share(self) -> Fraction:
        """How much of the value came back with the returns that were counted."""
        back = (
            n * Fraction(p)
            for counts in self.counted
            for n, (_, _, p) in zip(counts, self.items, strict=True)
        )
        return sum(back, Fraction()) / self.value


class PointsBook(RuleBasedStateMachine):
    """Every way in which points move, in any order."""

    sales = Bundle("sales")
    till: Till
    forgives: bool
    round = 0

    @initialize()
    def open_shop(self) -> None:
        self.purses = {"ann": Purse(), "bob": Purse()}
        type(self).round += 1  # each example gets customers of its own
        self.till.crm.clock.advance(NOON - self.now)
        for name in self.purses:
            self.till.enrol(f"{name}-{self.round}")

    def _id(self, name: str) -> str:
        return f"{name}-{self.round}"

    @property
    def now(self) -> datetime:
        now: datetime = self.till.crm.clock.now()
        return now

    def _take_back(self, sale: Sale, points: int) -> tuple[int, int]:
        """Take points of a sale; returns how many were forgiven, and as which gift."""
        assert sale.owner is not None
        purse = self.purses[sale.owner]
        missing = purse.take(points, sale.gift)
        if not missing or not self.forgives:
            return 0, 0
        return missing, purse.give(missing, sale.until)

    @rule(target=sales, name=st.none() | who,
          items=st.lists(st.tuples(st.integers(1, 4), price), min_size=1, max_size=3))  # fmt: skip
    def sell(self, name: str | None, items: list[tuple[int, str]]) -> Sale:
        lines = [(f"sku{n}", str(quantity), each) for n, (quantity, each) in enumerate(items)]
        receipt = self.till.sell(name and self._id(name), *lines, occurred_at=self.now)
        sale = Sale(receipt, name, lines)
        sale.until = months_later(self.now, 12)
        if name:
            self._earn(sale, name)
        return sale

    def _earn(self, sale: Sale, name: str) -> None:
        sale.owner, sale.earned = name, floor(sale.value)
        if sale.earned:
            sale.gift = self.purses[name].give(sale.earned, sale.until, sale)
        self.purses[name].let_time_pass(self.now)

    @rule(sale=sales, counts=st.lists(st.integers(0, 4), min_size=3, max_size=3))
    def bring_back(self, sale: Sale, counts: list[int]) -> None:
        counts = [min(n, left) for n, left in zip(counts, sale.left, strict=False)]
        if sale.is_voided or not any(counts):
            return
        lines = [(sku, f"-{n}", p) for n, (sku, _, p) in zip(counts, sale.items, strict=True) if n]
        name = self.till.take_back(None, sale.name, *lines, occurred_at=self.now)
        sale.left = [left - n for left, n in zip(sale.left, counts, strict=True)]
        sale.returns[name] = counts
        sale.events.append((name, counts))
        self._settle(sale)

    def _settle(self, sale: Sale) -> None:
        """Follow what happened to a sale, in its order, once it is known whose it was."""
        while sale.owner and sale.events:
            name, counts = sale.events.pop(0)
            if counts is None:
                due, forgiven, gift = sale.dues.pop(name)
                purse = self.purses[sale.owner]
                if due:
                    purse.give(due, sale.until, sale)
                purse.let_time_pass(self.now)
                if forgiven:
                    purse.take(forgiven, gift)
                sale.counted.remove(sale.returns[name])
                continue
            sale.counted.append(counts)
            gone = sale.expired + sum(due for due, _, _ in sale.dues.values())
            due = max(0, floor(sale.earned * sale.share) - gone)
            sale.dues[name] = (due, *self._take_back(sale, due))

    @rule(sale=sales, which=st.integers(0, 5))
    def void_return(self, sale: Sale, which: int) -> None:
        standing = [name for name in sale.returns if name not in sale.undone]
        if not standing:
            return
        name = standing[which % len(standing)]
        self.till.void(name, occurred_at=self.now)
        sale.undone.add(name)
        sale.left = [left + n for left, n in zip(sale.left, sale.returns[name], strict=True)]
        sale.events.append((name, None))
        self._settle(sale)

    @rule(sale=sales)
    def void(self, sale: Sale) -> None:
        if sale.is_voided or sale.returns.keys() - sale.undone:
            return
        self.till.void(sale.name, occurred_at=self.now)
        sale.is_voided = True
        if sale.owner:
            self._take_back(sale, sale.earned - sale.expired)

    @rule(sale=sales, name=who)
    def attach(self, sale: Sale, name: str) -> None:
        if sale.owner is not None:
            return
        self.till.attach(self._id(name), sale.name)
        self._earn(sale, name)
        if sale.is_voided:
            self._take_back(sale, sale.earned - sale.expired)
        self._settle(sale)

    @rule(name=who, minor=st.integers(1, 5000))
    def bring_back_without_receipt(self, name: str, minor: int) -> None:
        goods = ("loose", "-1", f"{minor / 100:.2f}")
        self.till.take_back(self._id(name), None, goods, occurred_at=self.now)
        purse = self.purses[name]
        purse.take(min(minor // 100, len(purse.points)))

    @rule(name=who, points=st.integers(-60, 60).filter(bool))
    def adjust(self, name: str, points: int) -> None:
        purse = self.purses[name]
        if len(purse.points) + points < 0:
            with pytest.raises(InsufficientPoints) as refused:
                self.till.adjust(self._id(name), points)
            assert refused.value.available == len(purse.points)
            return
        self.till.adjust(self._id(name), points)
        if points < 0:
            purse.take(-points)
        else:
            purse.give(points, months_later(self.now, 12))

    @rule(days=st.integers(1, 400))
    def let_time_pass(self, days: int) -> None:
        self.till.crm.clock.advance(timedelta(days))
        for purse in self.purses.values():
            purse.let_time_pass(self.now)

    @rule()
    def expire(self) -> None:
        self.till.crm.run_job("loyalty.expiry")
        for name, purse in self.purses.items():
            assert self.till.account(self._id(name)) == (len(purse.points), purse.debt)

    @rule()
    def rebuild(self) -> None:
        self.till.rebuild()

    @invariant()
    def book_is_what_the_model_says(self) -> None:
        for name, purse in getattr(self, "purses", {}).items():
            lots = self.till.lots(self._id(name))
            live = sum(left for _, left, until in lots if until > self.now)
            assert (live, self.till.account(self._id(name))[1]) == (len(purse.points), purse.debt)
        assert self.till.differences() == []
        assert verify(self.till.crm).is_good


@pytest.mark.parametrize("shortfall", ["debt", "forgive"])
def test_the_book_is_what_the_model_says_at_every_step(
    till_factory: TillFactory, shortfall: str
) -> None:
    till = till_factory(shortfall=shortfall, lifetime_months=12)
    book = type("Book", (PointsBook,), {"till": till, "forgives": shortfall == "forgive"})

    run_state_machine_as_test(
        book,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
