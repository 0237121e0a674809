"""The points book against a model that a person can follow: one list of numbers per customer."""

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

from crmkit_loyalty.errors import InsufficientPoints

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

who = st.sampled_from(["ann", "bob"])
price = st.integers(1, 3000).map(lambda minor: f"{minor / 100:.2f}")


class Sale:
    """A sale as the model knows it: what it earned and what came back."""

    def __init__(self, name: str, owner: str | None, items: list[tuple[str, str, str]]) -> None:
        self.name, self.owner, self.items = name, owner, items
        self.left = [int(quantity) for _, quantity, _ in items]
        self.returns: dict[str, list[int]] = {}
        self.events: list[tuple[str, list[int] | None]] = []
        self.counted: list[list[int]] = []
        self.undone: set[str] = set()
        self.dues: dict[str, list[tuple[int, int]]] = {}
        self.earned: list[tuple[int, list[Fraction]]] = []
        self.is_voided = False

    @property
    def value(self) -> Fraction:
        return sum((int(q) * Fraction(p) for _, q, p in self.items), Fraction())

    def share(self, weights: list[Fraction]) -> Fraction:
        """How much came back with the returns that were counted, by the weights of the items."""
        back = (
            n * weight / int(sold)
            for counts in self.counted
            for n, weight, (_, sold, _) in zip(counts, weights, self.items, strict=True)
        )
        return sum(back, Fraction()) / sum(weights)


def without_rules(sale: Sale) -> list[tuple[int, list[Fraction]]]:
    """A point for each whole unit of money; weights are amounts."""
    return [(floor(sale.value), [int(q) * Fraction(p) for _, q, p in sale.items])]


BY_RULES: list[dict[str, Any]] = [
    {"name": "base", "kind": "per_amount", "points": 1},
    {"name": "first", "kind": "per_quantity", "points": "1.5", "skus": ["sku0"]},
    {"name": "lines", "kind": "per_line", "points": 3},
    {"name": "gift", "kind": "bonus", "points": 7, "amount_min": 20},
]


def with_rules(sale: Sale) -> list[tuple[int, list[Fraction]]]:
    """What `BY_RULES` give, written down a second time."""
    ((base, worth),) = without_rules(sale)
    pieces = [Fraction(int(q)) for _, q, _ in sale.items]

    def only(place: int) -> list[Fraction]:
        return [n if at == place else Fraction() for at, n in enumerate(pieces)]

    given = [(base, worth), (floor(pieces[0] * 3 / 2), only(0))]
    given += [(3, only(place)) for place in range(len(pieces))]
    if sale.value >= 20:
        given.append((7, worth))
    return [(points, weights) for points, weights in given if points]


class PointsBook(RuleBasedStateMachine):
    """Every way in which points move, in any order."""

    sales = Bundle("sales")
    till: Till
    forgives: bool
    earns: Any
    extra_for_loose_goods: int
    round = 0

    @initialize()
    def open_shop(self) -> None:
        self.sums = {"ann": 0, "bob": 0}
        self.entries = 0
        type(self).round += 1  # each example gets customers of its own
        for name in self.sums:
            self.till.enrol(f"{name}-{self.round}")

    def _id(self, name: str) -> str:
        return f"{name}-{self.round}"

    def _move(self, name: str, points: int) -> int:
        """Move a sum; returns how many points were forgiven."""
        self.sums[name] += points
        if self.sums[name] >= 0 or not self.forgives:
            return 0
        forgiven, self.sums[name] = -self.sums[name], 0
        return forgiven

    @rule(target=sales, name=st.none() | who,
          items=st.lists(st.tuples(st.integers(1, 4), price), min_size=1, max_size=3))  # fmt: skip
    def sell(self, name: str | None, items: list[tuple[int, str]]) -> Sale:
        lines = [(f"sku{n}", str(quantity), each) for n, (quantity, each) in enumerate(items)]
        receipt = self.till.sell(name and self._id(name), *lines)
        sale = Sale(receipt, name, lines)
        if name:
            self._earn(sale, name)
        return sale

    def _earn(self, sale: Sale, name: str) -> None:
        sale.owner, sale.earned = name, self.earns(sale)
        for points, _ in sale.earned:
            self._move(name, points)

    @rule(sale=sales, counts=st.lists(st.integers(0, 4), min_size=3, max_size=3))
    def bring_back(self, sale: Sale, counts: list[int]) -> None:
        counts = [min(n, left) for n, left in zip(counts, sale.left, strict=False)]
        if sale.is_voided or not any(counts):
            return
        lines = [(sku, f"-{n}", p) for n, (sku, _, p) in zip(counts, sale.items, strict=True) if n]
        name = self.till.take_back(None, sale.name, *lines)
        sale.left = [left - n for left, n in zip(sale.left, counts, strict=True)]
        sale.returns[name] = counts
        sale.events.append((name, counts))
        self._settle(sale)

    def _settle(self, sale: Sale) -> None:
        """Follow what happened to a sale, in its order, once it is known whose it was."""
        while sale.owner and sale.events:
            name, counts = sale.events.pop(0)
            if counts is None:
                for due, forgiven in sale.dues.pop(name):
                    self._move(sale.owner, due)
                    self._move(sale.owner, -forgiven)
                sale.counted.remove(sale.returns[name])
                continue
            sale.counted.append(counts)
            dues = []
            for place, (points, weights) in enumerate(sale.earned):
                taken = sum(each[place][0] for each in sale.dues.values())
                due = max(0, floor(points * sale.share(weights)) - taken)
                dues.append((due, self._move(sale.owner, -due)))
            sale.dues[name] = dues

    @rule(sale=sales, which=st.integers(0, 5))
    def void_return(self, sale: Sale, which: int) -> None:
        standing = [name for name in sale.returns if name not in sale.undone]
        if not standing:
            return
        name = standing[which % len(standing)]
        self.till.void(name)
        sale.undone.add(name)
        sale.left = [left + n for left, n in zip(sale.left, sale.returns[name], strict=True)]
        sale.events.append((name, None))
        self._settle(sale)

    @rule(sale=sales)
    def void(self, sale: Sale) -> None:
        if sale.is_voided or sale.returns.keys() - sale.undone:
            return
        self.till.void(sale.name)
        sale.is_voided = True
        if sale.owner:
            self._take_all(sale, sale.owner)

    def _take_all(self, sale: Sale, name: str) -> None:
        for points, _ in sale.earned:
            self._move(name, -points)

    @rule(sale=sales, name=who)
    def attach(self, sale: Sale, name: str) -> None:
        if sale.owner is not None:
            return
        self.till.attach(self._id(name), sale.name)
        self._earn(sale, name)
        if sale.is_voided:
            self._take_all(sale, name)
        self._settle(sale)

    @rule(name=who, minor=st.integers(1, 5000))
    def bring_back_without_receipt(self, name: str, minor: int) -> None:
        self.till.take_back(self._id(name), None, ("loose", "-1", f"{minor / 100:.2f}"))
        due = minor // 100 + self.extra_for_loose_goods
        self.sums[name] -= min(due, max(self.sums[name], 0))

    @rule(name=who, points=st.integers(-60, 60).filter(bool))
    def adjust(self, name: str, points: int) -> None:
        if points < 0 and max(self.sums[name], 0) + points < 0:
            with pytest.raises(InsufficientPoints):
                self.till.adjust(self._id(name), points)
        else:
            self.till.adjust(self._id(name), points)
            self._move(name, points)

    @rule()
    def rebuild(self) -> None:
        self.till.rebuild()

    @invariant()
    def book_is_what_the_model_says(self) -> None:
        for name, total in getattr(self, "sums", {}).items():
            assert self.till.account(self._id(name)) == (max(total, 0), max(-total, 0))
        assert self.till.differences() == []


@pytest.mark.parametrize("rules", [[], BY_RULES], ids=["without rules", "by rules"])
@pytest.mark.parametrize("shortfall", ["debt", "forgive"])
def test_the_book_is_what_the_model_says_at_every_step(
    till_factory: TillFactory, shortfall: str, rules: list[dict[str, Any]]
) -> None:
    till = till_factory(shortfall=shortfall, lifetime_months=12, rules=rules)
    model = {
        "till": till,
        "forgives": shortfall == "forgive",
        "earns": staticmethod(with_rules if rules else without_rules),
        "extra_for_loose_goods": 3 if rules else 0,  # a line
    }
    book = type("Book", (PointsBook,), model)

    run_state_machine_as_test(
        book,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
