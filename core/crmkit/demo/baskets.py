"""What goes into one basket: staples that ran out, favourites, and planted companions."""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import NamedTuple

from crmkit.demo.catalogue import BABY, CHILD, Product
from crmkit.demo.people import Person
from crmkit.demo.tastes import pick_weights

_LINES_MAX = 9
_STRANGER_LINES = 1.5
_FAMILY_CHANCE = 0.6


class Pair(NamedTuple):
    """A product that draws another one into the basket with it.

    Attributes:
        probability: how often a basket with `sku` gets `companion_sku` because of it.
    """

    sku: str
    companion_sku: str
    probability: float


PAIRS = (
    Pair("GRA-009", "GRA-008", 0.5),  # pasta, tomato sauce
    Pair("GRA-010", "FRZ-001", 0.45),  # hotpot base, lamb slices
    Pair("NOO-001", "NOO-006", 0.4),  # noodles, sausages
    Pair("DRK-005", "DRK-006", 0.45),  # coffee, creamer
    Pair("ALC-001", "SNK-001", 0.35),  # beer, peanuts
    Pair("PER-001", "PER-002", 0.3),  # toothpaste, toothbrush
    Pair("PER-003", "PER-004", 0.45),  # shampoo, conditioner
    Pair("BAB-001", "BAB-002", 0.5),  # nappies, wipes
)


class Item(NamedTuple):
    """So much of one product; `quantity_milli` in thousandths of a piece or kilogram."""

    product: Product
    quantity_milli: int


class Basketry:
    """Fills baskets, and remembers when each customer last bought each staple."""

    def __init__(self, rng: Random, products: Sequence[Product]) -> None:
        self._rng = rng
        self._products = products
        self._by_sku = {one.sku: one for one in products}
        self._stranger_weights = pick_weights(products, ())
        self._by_category = {
            name: [one for one in products if one.category == name] for name in (BABY, CHILD)
        }
        self._bought_on: dict[tuple[str, str], date] = {}

    def fill(self, person: Person | None, day: date, promoted: Mapping[str, int]) -> list[Item]:
        """Return what somebody buys.

        Args:
            person: the customer, or None for somebody unknown.
            day: the shop's calendar day.
            promoted: skus with a price reduction that day.
        """
        skus = self._for_stranger() if person is None else self._for(person, day, promoted)
        if person is not None:
            for sku in person.tastes.staples.keys() & skus:
                self._bought_on[person.external_id, sku] = day
        return [Item(self._by_sku[sku], self._quantity_milli(self._by_sku[sku])) for sku in skus]

    def _for_stranger(self) -> list[str]:
        wanted = self._line_count(_STRANGER_LINES)
        picks = self._rng.choices(self._products, cum_weights=self._stranger_weights, k=wanted)
        return self._with_companions(dict.fromkeys(one.sku for one in picks), frozenset())

    def _for(self, person: Person, day: date, promoted: Mapping[str, int]) -> list[str]:
        """Return the skus a known customer takes: staples first, the rest by taste."""
        wanted = self._line_count(person.behaviour.basket_lines)
        due, stocked = self._staples(person, day)
        picked = dict.fromkeys(due[:wanted])
        family_category = person.tastes.family_category(day)
        if family_category is not None and self._rng.random() < _FAMILY_CHANCE:
            picked[self._rng.choice(self._by_category[family_category]).sku] = None
        for _ in range(wanted - len(picked)):
            sku = self._pick(person, promoted)
            if sku not in stocked:
                picked[sku] = None
        if not picked:
            picked[self._fallback(person, stocked)] = None
        return self._with_companions(picked, stocked)

    def _staples(self, person: Person, day: date) -> tuple[list[str], frozenset[str]]:
        """Return the staples that have run out, and those that have not."""
        due: list[str] = []
        stocked: list[str] = []
        for sku, cycle_days in person.tastes.staples.items():
            bought_on = self._bought_on.get((person.external_id, sku))
            is_due = bought_on is None or (day - bought_on).days >= cycle_days
            (due if is_due else stocked).append(sku)
        return due, frozenset(stocked)

    def _pick(self, person: Person, promoted: Mapping[str, int]) -> str:
        if promoted and self._rng.random() < person.behaviour.promotion_share:
            return self._rng.choice(list(promoted))
        weights = person.tastes.pick_weights
        return self._rng.choices(self._products, cum_weights=weights)[0].sku

    def _fallback(self, person: Person, stocked: frozenset[str]) -> str:
        """Return something from the favourite categories that is no stocked staple."""
        favourites = person.tastes.favourite_categories
        return self._rng.choice(
            [
                one.sku
                for one in self._products
                if one.category in favourites and one.sku not in stocked
            ]
        )

    def _with_companions(self, picked: dict[str, None], stocked: frozenset[str]) -> list[str]:
        for pair in PAIRS:
            if pair.sku in picked and self._rng.random() < pair.probability:
                picked[pair.companion_sku] = None
        return [sku for sku in picked if sku not in stocked]

    def _line_count(self, mean: float) -> int:
        return min(_LINES_MAX, 1 + int(self._rng.expovariate(1 / mean)))

    def _quantity_milli(self, product: Product) -> int:
        if product.by_weight:
            return self._rng.randrange(300, 1800, 5)
        return self._rng.choices((1000, 2000, 3000), (80, 15, 5))[0]
