"""When demo customers come: purchase days from behaviour, and visits of people nobody knows."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from crmkit.demo.archetypes import Archetype, Behaviour
from crmkit.demo.people import Person
from crmkit.demo.seasons import gift_seasons, shopping_time

ANONYMOUS_SHARE = 0.15
_WEEKDAY_WEIGHTS = (9, 9, 9, 10, 13, 18, 16)


class Visit(NamedTuple):
    """Somebody comes to buy; `person` is None for a customer the shop does not know."""

    at: datetime
    person: Person | None


def plan_visits(
    rng: Random, people: Sequence[Person], first_on: date, last_on: date
) -> list[Visit]:
    """Return all visits between two days, both included, in order of time.

    Known customers come as they behave; strangers come all the time, so that they make
    `ANONYMOUS_SHARE` of all visits.
    """
    visits = [
        Visit(shopping_time(rng, day, person.tastes.usual_minute), person)
        for person in people
        for day in purchase_days(rng, person.behaviour, last_on)
    ]
    days = [first_on + timedelta(n) for n in range((last_on - first_on).days + 1)]
    weights = [_WEEKDAY_WEIGHTS[day.weekday()] for day in days]
    count = round(len(visits) * ANONYMOUS_SHARE / (1 - ANONYMOUS_SHARE))
    visits += [Visit(shopping_time(rng, day), None) for day in rng.choices(days, weights, k=count)]
    return sorted(visits, key=lambda visit: visit.at)


def purchase_days(rng: Random, behaviour: Behaviour, last_on: date) -> list[date]:
    """Return the distinct days on which a customer buys, in order."""
    if behaviour.archetype is Archetype.ONE_TIME:
        return [behaviour.joined_on]
    if behaviour.archetype is Archetype.GIFT_SEASON:
        return list(_gift_days(rng, behaviour, last_on))
    end = behaviour.leaves_on or last_on
    if behaviour.lapsed_from is None or behaviour.lapsed_until is None:
        return list(_renewals(rng, behaviour, behaviour.joined_on, end))
    pause_after = behaviour.lapsed_from - timedelta(1)
    back_on = behaviour.lapsed_until + timedelta(1)
    return [
        *_renewals(rng, behaviour, behaviour.joined_on, pause_after),
        *_renewals(rng, behaviour, back_on, end),
    ]


def _renewals(rng: Random, behaviour: Behaviour, start_on: date, end_on: date) -> Iterator[date]:
    """Yield days whose gaps scatter around the planted interval; never two on one day."""
    days_passed = 0.0
    span_days = (end_on - start_on).days + 1
    interval = behaviour.interval_days or 0.0
    growth = (behaviour.final_interval_days or interval) - interval
    while days_passed < span_days:
        yield start_on + timedelta(int(days_passed))
        mean = interval + growth * days_passed / span_days
        days_passed += max(1.0, rng.gauss(mean, mean * (behaviour.interval_spread or 0.0)))


def _gift_days(rng: Random, behaviour: Behaviour, last_on: date) -> Iterator[date]:
    for season in gift_seasons(behaviour.joined_on, last_on):
        length = (season.last_on - season.first_on).days + 1
        for offset in sorted(rng.sample(range(length), rng.randint(1, 2))):
            yield season.first_on + timedelta(offset)
