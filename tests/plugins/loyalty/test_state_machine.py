"""The points book against a model, at every step of any sequence of events."""

import os
from collections import Counter
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
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.lifetime import months_later
from crmkit_loyalty.redeeming_errors import RedemptionEnded
from crmkit_loyalty.verifying import run as verify
from points_model import Back, Earning, Paid, Purse, give_back

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

STEPS = int(os.environ.get("POINTS_BOOK_STEPS", "80"))
STEPS_EACH = 40
who = st.sampled_from(["ann", "bob"])
price = st.integers(1, 3000).map(lambda minor: f"{minor / 100:.2f}")


class Sale:
    """A sale as the model knows it: what it earned, what paid for it, and what came back."""

    def __init__(self, name: str, owner: str | None, items: list[tuple[str, str, str]]) -> None:
        self.name, self.owner, self.items = name, owner, items
        self.left = [int(quantity) for _, quantity, _ in items]
        self.returns: dict[str, list[int]] = {}
        self.events: list[tuple[str, datetime, list[int] | None]] = []
        self.counted: dict[str, list[int]] = {}
        self.undone: set[str] = set()
        self.dues: dict[str, list[tuple[int, int, int]]] = {}
        self.earned: list[Earning] = []
        self.since = self.until = NOON
        self.is_voided, self.voided_at = False, NOON
        self.paid: list[Paid] = []

    @property
    def worth(self) -> list[Fraction]:
        return [int(q) * Fraction(p) for _, q, p in self.items]

    def share(self, weights: list[Fraction], returns: dict[str, list[int]]) -> Fraction:
        """How much came back with some returns, by the weights of the items."""
        back = (
            n * weight / int(sold)
            for counts in returns.values()
            for n, weight, (_, sold, _) in zip(counts, weights, self.items, strict=True)
        )
        return sum(back, Fraction()) / sum(weights)

    @property
    def standing(self) -> dict[str, list[int]]:
        return {name: some for name, some in self.returns.items() if name not in self.undone}


def without_rules(sale: Sale) -> list[Earning]:
    """A point for each whole unit of money; weights are amounts."""
    return [Earning(floor(sum(sale.worth)), sale.worth)]


BY_RULES: list[dict[str, Any]] = [
    {"name": "base", "kind": "per_amount", "points": 1},
    {"name": "first", "kind": "per_quantity", "points": "1.5", "skus": ["sku0"]},
    {"name": "lines", "kind": "per_line", "points": 3},
    {"name": "gift", "kind": "bonus", "points": 7, "amount_min": 20},
]


def with_rules(sale: Sale) -> list[Earning]:
    """What `BY_RULES` give, written down a second time."""
    pieces = [Fraction(int(q)) for _, q, _ in sale.items]

    def only(place: int) -> list[Fraction]:
        return [n if at == place else Fraction() for at, n in enumerate(pieces)]

    given = [*without_rules(sale), Earning(floor(pieces[0] * 3 / 2), only(0))]
    given += [Earning(3, only(place)) for place in range(len(pieces))]
    if sum(sale.worth) >= 20:
        given.append(Earning(7, sale.worth))
    return given


class PointsBook(RuleBasedStateMachine):
    """Every way in which points move, in any order."""

    sales = Bundle("sales")
    redeemed = Bundle("redeemed")
    held = Bundle("held")
    till: Till
    forgives: bool
    holding: timedelta
    earns: Any
    extra_for_loose_goods: int
    round = 0

    @initialize()
    def open_shop(self) -> None:
        self.purses = {"ann": Purse(), "bob": Purse()}
        self.holds: list[Any] = []
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

    @property
    def until(self) -> datetime:
        return months_later(self.now, 12)

    def _take(self, name: str, points: int, gift: int, sale: Sale | None) -> tuple[int, int]:
        """Take points; returns how many were forgiven, and as which gift."""
        purse = self.purses[name]
        missing = purse.take(points, gift)
        if not missing or not self.forgives:
            return 0, 0
        dates = (sale.until, sale.since) if sale else (self.until, self.now)
        return missing, purse.give(missing, *dates)

    @rule(target=sales, name=st.none() | who,
          items=st.lists(st.tuples(st.integers(1, 4), price), min_size=1, max_size=3))  # fmt: skip
    def sell(self, name: str | None, items: list[tuple[int, str]]) -> Sale:
        lines = [(f"sku{n}", str(quantity), each) for n, (quantity, each) in enumerate(items)]
        receipt = self.till.sell(name and self._id(name), *lines, occurred_at=self.now)
        sale = Sale(receipt, name, lines)
        sale.since, sale.until = self.now + self.holding, self.until
        if name:
            self._earn(sale, name)
            self.purses[name].lapse(self.now)
        return sale

    def _earn(self, sale: Sale, name: str) -> None:
        sale.owner, sale.earned = name, [each for each in self.earns(sale) if each.points]
        for each in sale.earned:
            each.gift = self.purses[name].give(each.points, sale.until, sale.since, each)

    @rule(sale=sales, counts=st.lists(st.integers(0, 4), min_size=3, max_size=3))
    def bring_back(self, sale: Sale, counts: list[int]) -> None:
        counts = [min(n, left) for n, left in zip(counts, sale.left, strict=False)]
        if sale.is_voided or not any(counts):
            return
        lines = [(sku, f"-{n}", p) for n, (sku, _, p) in zip(counts, sale.items, strict=True) if n]
        name = self.till.take_back(None, sale.name, *lines, occurred_at=self.now)
        sale.left = [left - n for left, n in zip(sale.left, counts, strict=True)]
        sale.returns[name] = counts
        sale.events.append((name, self.now, counts))
        self._refund(sale, name, sale.share(sale.worth, sale.standing))
        self._settle(sale)

    def _refund(self, sale: Sale, cause: str, share: Fraction) -> None:
        for paid in sale.paid:
            if not paid.is_cancelled:
                self._give_back(paid, cause, share)

    def _give_back(self, paid: Paid, cause: str, share: Fraction) -> None:
        back = give_back(self.purses[paid.owner], paid, share, self.now, self.until)
        if back is not None:
            paid.back[cause] = back

    def _settle(self, sale: Sale) -> None:
        """Follow what happened to a sale, in its order, once it is known whose it was."""
        while sale.owner and sale.events:
            name, at, counts = sale.events.pop(0)
            self.purses[sale.owner].lapse(at)
            if counts is None:
                self._undo_dues(sale, sale.owner, name)
                continue
            sale.counted[name] = counts
            dues = []
            for place, each in enumerate(sale.earned):
                gone = each.expired + sum(some[place][0] for some in sale.dues.values())
                share = sale.share(each.weights, sale.counted)
                due = max(0, floor(each.points * share) - gone)
                dues.append((due, *self._take(sale.owner, due, each.gift, sale)))
            sale.dues[name] = dues

    def _undo_dues(self, sale: Sale, owner: str, name: str) -> None:
        purse = self.purses[owner]
        for (due, forgiven, gift), each in zip(sale.dues.pop(name), sale.earned, strict=True):
            if due:
                purse.give(due, sale.until, sale.since, each)
            purse.lapse(self.now)
            if forgiven:
                self._take(owner, forgiven, gift, sale)
        del sale.counted[name]

    @rule(sale=sales, which=st.integers(0, 5))
    def void_return(self, sale: Sale, which: int) -> None:
        if not sale.standing:
            return
        name = list(sale.standing)[which % len(sale.standing)]
        self.till.void(name, occurred_at=self.now)
        sale.undone.add(name)
        sale.left = [left + n for left, n in zip(sale.left, sale.returns[name], strict=True)]
        sale.events.append((name, self.now, None))
        for paid in sale.paid:
            back = paid.back.pop(name, Back())
            self._take(paid.owner, back.to_lots, 0, None)
            for gift, size in back.anew:
                self._take(paid.owner, size, gift, None)
        self._settle(sale)

    @rule(sale=sales)
    def void(self, sale: Sale) -> None:
        if sale.is_voided or sale.standing:
            return
        self.till.void(sale.name, occurred_at=self.now)
        sale.is_voided = True
        self._refund(sale, sale.name, Fraction(1))
        sale.voided_at = self.now
        if sale.owner:
            self._take_all(sale, sale.owner)

    def _take_all(self, sale: Sale, name: str) -> None:
        for each in sale.earned:
            self._take(name, each.points - each.expired, each.gift, sale)

    @rule(sale=sales, name=who)
    def attach(self, sale: Sale, name: str) -> None:
        if sale.owner is not None:
            return
        self.till.attach(self._id(name), sale.name)
        self._earn(sale, name)
        if sale.is_voided:
            self.purses[name].lapse(sale.voided_at)
            self._take_all(sale, name)
        # what was undone before anybody knew whose it was never moved points
        sale.events = [event for event in sale.events if event[0] in sale.standing]
        self._settle(sale)
        self.purses[name].lapse(self.now)

    @rule(name=who, minor=st.integers(1, 5000))
    def bring_back_without_receipt(self, name: str, minor: int) -> None:
        goods = ("loose", "-1", f"{minor / 100:.2f}")
        self.till.take_back(self._id(name), None, goods, occurred_at=self.now)
        purse = self.purses[name]
        purse.take(min(minor // 100 + self.extra_for_loose_goods, len(purse.points)))

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
            purse.give(points, self.until, self.now)

    @rule(target=redeemed, name=who, points=st.integers(1, 60), sale=st.none() | sales)
    def redeem(self, name: str, points: int, sale: Sale | None) -> Any:
        return self._spend(name, points, sale, holds=False)

    @rule(target=sales, name=who, points=st.integers(21, 40),
          items=st.lists(st.tuples(st.integers(1, 4), price), min_size=1, max_size=3))  # fmt: skip
    def sell_for_points_of_two_days(
        self, name: str, points: int, items: list[tuple[int, str]]
    ) -> Any:
        self.adjust(name, 20)
        self.let_time_pass(1)
        self.adjust(name, 20)
        sale: Any = self.sell(name, items)
        self._spend(name, points, sale, holds=False)
        return sale

    @rule(target=held, name=who, points=st.integers(1, 60), sale=st.none() | sales)
    def hold(self, name: str, points: int, sale: Sale | None) -> Any:
        return self._spend(name, points, sale, holds=True)

    def _spend(self, name: str, points: int, sale: Sale | None, *, holds: bool) -> Any:
        purse = self.purses[name]
        available = len(purse.available(self.now))
        receipt = sale and sale.name
        if points > available:
            with pytest.raises(InsufficientPoints) as refused:
                self.till.redeem(self._id(name), points, receipt, holds=holds)
            assert refused.value.available == available
            return None
        made = self.till.redeem(self._id(name), points, receipt, holds=holds)
        paid = Paid(name, purse.spend(points, self.now))
        if sale and not holds:
            sale.paid.append(paid)
        if holds:
            self.holds.append((made, paid, sale))
        return made, paid, sale

    @rule(name=who, points=st.integers(1, 60))
    def transfer(self, name: str, points: int) -> None:
        other = "bob" if name == "ann" else "ann"
        giver, receiver = self.purses[name], self.purses[other]
        available = len(giver.available(self.now))
        if points > available:
            with pytest.raises(InsufficientPoints) as refused:
                self.till.transfer(self._id(name), self._id(other), points)
            assert refused.value.available == available
            return
        self.till.transfer(self._id(name), self._id(other), points)
        moved = Counter(point[:2] for point in giver.spend(points, self.now))
        for dates, count in moved.items():
            receiver.give(count, *dates)

    @rule(one=redeemed)
    def cancel(self, one: Any) -> None:
        if one is None:
            return
        made, paid, _ = one
        self.till.cancel(made)
        if not paid.is_cancelled:
            self._give_back(paid, "cancelled", Fraction(1))
            paid.is_cancelled = True

    @rule(one=held, part=st.integers(1, 60))
    def redeem_held(self, one: Any, part: int) -> None:
        if one is None:
            return
        made, paid, sale = one
        if paid.is_cancelled:
            with pytest.raises(RedemptionEnded):
                self.till.redeem_held(made)
            return
        part = min(part, len(paid.spent))
        self.till.redeem_held(made, part)
        self._let_go(paid, paid.spent[part:])
        paid.is_cancelled = True  # as a hold
        if sale:
            sale.paid.append(Paid(paid.owner, paid.spent[:part]))

    @rule(one=held)
    def release(self, one: Any) -> None:
        if one is None or one[1].is_cancelled:
            return
        made, paid, _ = one
        self.till.release(made)
        self._let_go(paid, paid.spent)
        paid.is_cancelled = True

    def _let_go(self, paid: Paid, points: list[Any]) -> None:
        purse = self.purses[paid.owner]
        live = [point for point in points if point.until > self.now]
        purse.points += points
        purse.lapse(self.now)
        if live:
            purse.settle()

    @rule(days=st.integers(1, 400))
    def let_time_pass(self, days: int) -> None:
        self.till.crm.clock.advance(timedelta(days))
        for purse in self.purses.values():
            purse.lapse(self.now)
        self.till.crm.run_job("loyalty.holds")
        for made, paid, _ in self.holds:
            if made.held_until <= self.now and not paid.is_cancelled:
                self._let_go(paid, paid.spent)
                paid.is_cancelled = True

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
            account = self.till.account(self._id(name))
            assert account[1] == purse.debt
            counts = Counter(point.gift for point in purse.points)
            lots = enumerate(self.till.lots(self._id(name)), 1)  # in the order of the gifts
            live = {gift: left for gift, (_, left, until) in lots if until > self.now and left}
            assert live == counts
            assert self.till.available(self._id(name)) == len(purse.available(self.now))
        assert self.till.differences() == []
        assert verify(self.till.crm).is_good


@pytest.mark.parametrize("rules", [[], BY_RULES], ids=["without rules", "by rules"])
@pytest.mark.parametrize("shortfall", ["debt", "forgive"])
def test_the_book_is_what_the_model_says_at_every_step(
    till_factory: TillFactory, shortfall: str, rules: list[dict[str, Any]]
) -> None:
    terms = {"value": "0.01", "earns": True, "hold_minutes": 43_200}
    holding = 10 if rules else 0
    till = till_factory(
        shortfall=shortfall,
        lifetime_months=12,
        rules=rules,
        redemption=terms,
        holding_days=holding,
        transfers={"allowed": True},
    )
    model = {
        "till": till,
        "forgives": shortfall == "forgive",
        "holding": timedelta(days=holding),
        "earns": staticmethod(with_rules if rules else without_rules),
        "extra_for_loose_goods": 3 if rules else 0,  # a line
    }
    book = type("Book", (PointsBook,), model)

    run_state_machine_as_test(
        book,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_EACH),
            stateful_step_count=STEPS_EACH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
