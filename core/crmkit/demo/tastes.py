"""What demo customers like: the part of the truth that recommendations must find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from crmkit.demo.archetypes import Archetype, Behaviour
from crmkit.demo.catalogue import BABY, CHILD, GIFTS, Product
from crmkit.demo.places import Store

CHILD_FROM_DAYS = 540
"""Age of a child, in days, at which its parents stop buying baby goods."""

_FAMILY_SHARE = 0.3
_FAVOURITE_WEIGHT = 9.0
_STEADY = frozenset({Archetype.LOYAL, Archetype.REGULAR, Archetype.GROWING})
_WITHOUT_STAPLES = frozenset(
    {Archetype.BARGAIN_HUNTER, Archetype.GIFT_SEASON, Archetype.ONE_TIME, Archetype.OCCASIONAL}
)


@dataclass(frozen=True, slots=True)
class Tastes:
    """One customer's preferences.

    Attributes:
        favourite_categories: categories picked several times as often as others.
        store: where the customer shops.
        online_share: share of purchases made in the web shop.
        usual_minute: minute of the shop's day around which the customer comes.
        staples: goods bought again when used up: days between purchases per sku.
        child_born_on: birth of the child the customer buys for.
        pick_weights: running sum of the weight of each product of the catalogue.
    """

    favourite_categories: tuple[str, ...]
    store: Store
    online_share: float
    usual_minute: int
    staples: Mapping[str, int]
    child_born_on: date | None
    pick_weights: Sequence[float]

    def family_category(self, day: date) -> str | None:
        """Return the category the customer's child needs on `day`, if there is one."""
        if self.child_born_on is None or day < self.child_born_on:
            return None
        is_baby = (day - self.child_born_on).days < CHILD_FROM_DAYS
        return BABY if is_baby else CHILD


def draw_tastes(
    rng: Random,
    behaviour: Behaviour,
    products: Sequence[Product],
    stores: Sequence[Store],
    first_on: date,
) -> Tastes:
    """Return the tastes of one customer."""
    favourites = _favourites(rng, behaviour, products)
    return Tastes(
        favourite_categories=favourites,
        store=rng.choices(stores, (4, 3, 2, 2))[0],
        online_share=rng.choice((0.0, 0.05, 0.2, 0.6)),
        usual_minute=rng.choice((9 * 60, 12 * 60, 18 * 60, 19 * 60 + 30)),
        staples=_staples(rng, behaviour, products, favourites),
        child_born_on=_child_born_on(rng, behaviour, first_on),
        pick_weights=pick_weights(products, favourites),
    )


def pick_weights(products: Sequence[Product], favourites: Sequence[str]) -> tuple[float, ...]:
    """Return the running sum of product weights for somebody with these favourites."""
    return tuple(accumulate(_weight(product, favourites) for product in products))


def _weight(product: Product, favourites: Sequence[str]) -> float:
    if product.category in favourites:
        return _FAVOURITE_WEIGHT
    if product.category in (BABY, CHILD):
        return 0.0
    return 0.2 if product.category == GIFTS else 1.0


def _favourites(rng: Random, behaviour: Behaviour, products: Sequence[Product]) -> tuple[str, ...]:
    if behaviour.archetype is Archetype.GIFT_SEASON:
        return (GIFTS,)
    everyday = dict.fromkeys(one.category for one in products)
    choice = [name for name in everyday if name not in (BABY, CHILD, GIFTS)]
    return tuple(rng.sample(choice, rng.randint(2, 3)))


def _staples(
    rng: Random, behaviour: Behaviour, products: Sequence[Product], favourites: Sequence[str]
) -> dict[str, int]:
    if behaviour.archetype in _WITHOUT_STAPLES:
        return {}
    choice = [one for one in products if one.category in favourites]
    household = rng.uniform(0.8, 1.6)
    picked = rng.sample(choice, min(rng.randint(1, 3), len(choice)))
    return {one.sku: max(3, round(one.cycle_days * household)) for one in picked}


def _child_born_on(rng: Random, behaviour: Behaviour, first_on: date) -> date | None:
    """Return a birth that makes a baby become a child, or be born, within two years of data."""
    if behaviour.archetype not in _STEADY or rng.random() > _FAMILY_SHARE:
        return None
    return first_on + timedelta(rng.randint(-CHILD_FROM_DAYS, 120))
