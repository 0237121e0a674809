"""The demo retailer as a whole: drawn from a seed, read as streams of inputs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from crmkit.demo.archetypes import assign_archetypes, draw_behaviour
from crmkit.demo.catalogue import BABY, CHILD, GIFTS, Product, build_catalogue
from crmkit.demo.contacts import interactions
from crmkit.demo.people import Person, Registry
from crmkit.demo.places import Store, build_stores
from crmkit.demo.sales import Tills
from crmkit.demo.seasons import Promotions, draw_promotions, instant
from crmkit.demo.tastes import draw_tastes
from crmkit.demo.truth import build_truth
from crmkit.demo.visits import Visit, plan_visits
from crmkit.inputs import CustomerInput, InteractionInput, TransactionInput

DEFAULT_LAST_ON = date(2026, 10, 31)
_YEARS_MAX = 10


@dataclass(frozen=True)
class DemoRetailer:
    """A chain of shops with its customers and its past.

    Each stream may be read any number of times and gives the same values each time.

    Attributes:
        seed: number from which everything was drawn.
        first_on: first day of business in the data.
        last_on: last day of business in the data.
    """

    seed: int
    first_on: date
    last_on: date
    products: tuple[Product, ...]
    stores: tuple[Store, ...]
    promotions: Promotions
    people: tuple[Person, ...]
    visits: Sequence[Visit]

    def customers(self) -> Iterator[CustomerInput]:
        """Yield all customers; record them before transactions."""
        registry = Registry(_stream(self.seed, "customers"), self.last_on)
        return map(registry.describe, self.people)

    def transactions(self) -> Iterator[TransactionInput]:
        """Yield all transactions in order of time; originals come before what refers to them."""
        rng = _stream(self.seed, "transactions")
        tills = Tills(rng, self.products, self.stores, self.promotions, self._closes_at())
        return tills.serve(self.visits)

    def interactions(self) -> Iterator[InteractionInput]:
        """Yield all interactions in order of time; record them after transactions."""
        languages = {one.external_id: str(one.language) for one in self.customers()}
        return interactions(
            _stream(self.seed, "interactions"),
            self.transactions(),
            {person.external_id: person for person in self.people},
            languages,
            self._closes_at(),
        )

    @property
    def truth(self) -> dict[str, Any]:
        """What was planted, as values that JSON can hold."""
        return build_truth(
            self.seed, self.first_on, self.last_on, self.people, self.products, self.promotions
        )

    def write_truth(self, path: Path) -> None:
        """Write the truth to `path` as JSON, for people and programs to compare with."""
        text = json.dumps(self.truth, ensure_ascii=False, indent=1)
        path.touch(mode=0o600)  # it names the customers
        path.write_text(text + "\n", encoding="utf-8")

    def _closes_at(self) -> datetime:
        return instant(self.last_on, 23 * 60 + 59)


def generate(
    seed: int, customers: int = 600, until: date = DEFAULT_LAST_ON, years: int = 2
) -> DemoRetailer:
    """Return the demo retailer of a seed; equal arguments give equal data, always.

    Args:
        seed: any integer.
        customers: how many known customers, at least 1.
        until: last day of business; give yesterday to make the demo end now.
        years: length of the past, 1 to 10 years of 365 days.

    Raises:
        ValueError: a number is out of range.
    """
    if customers < 1 or not 1 <= years <= _YEARS_MAX:
        raise ValueError(f"needs 1 customer or more and 1 to {_YEARS_MAX} years")
    first_on = until - timedelta(365 * years - 1)
    products, stores = build_catalogue(), build_stores()
    everyday = [one for one in products if one.category not in (BABY, CHILD, GIFTS)]
    promotions = draw_promotions(_stream(seed, "promotions"), everyday, first_on, until)
    people = _people(_stream(seed, "people"), customers, products, stores, first_on, until)
    visits = plan_visits(_stream(seed, "visits"), people, first_on, until)
    return DemoRetailer(seed, first_on, until, products, stores, promotions, people, visits)


def _people(
    rng: Random,
    customers: int,
    products: Sequence[Product],
    stores: Sequence[Store],
    first_on: date,
    last_on: date,
) -> tuple[Person, ...]:
    people = []
    for number, archetype in enumerate(assign_archetypes(rng, customers), 1):
        behaviour = draw_behaviour(rng, archetype, first_on, last_on)
        tastes = draw_tastes(rng, behaviour, products, stores, first_on)
        people.append(Person(f"C{number:05}", behaviour, tastes))
    return tuple(people)


def _stream(seed: int, purpose: str) -> Random:
    """Return randomness for one purpose, so that a change in one does not move the others."""
    return Random(f"{seed} {purpose}")  # noqa: S311 - repeatable on purpose, guards nothing
