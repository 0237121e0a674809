"""What was planted in the demo data, as plain values, to score analyses against."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from crmkit.demo.archetypes import SHARES
from crmkit.demo.baskets import PAIRS
from crmkit.demo.catalogue import CURRENCY, Product
from crmkit.demo.contacts import ANGER_DAYS
from crmkit.demo.people import SOURCE, Person
from crmkit.demo.seasons import Promotions, gift_seasons
from crmkit.demo.tastes import CHILD_FROM_DAYS
from crmkit.demo.visits import ANONYMOUS_SHARE


def build_truth(
    seed: int,
    first_on: date,
    last_on: date,
    people: Sequence[Person],
    products: Sequence[Product],
    promotions: Promotions,
) -> dict[str, Any]:
    """Return the planted facts, ready for JSON: days as ISO text, lengths in days."""
    return {
        "source": SOURCE,
        "seed": seed,
        "first_on": first_on.isoformat(),
        "last_on": last_on.isoformat(),
        "currency": CURRENCY,
        "anonymous_share": ANONYMOUS_SHARE,
        "archetype_shares": {str(one): percent / 100 for one, percent in SHARES.items()},
        "child_from_days": CHILD_FROM_DAYS,
        "anger_days": ANGER_DAYS,
        "gift_seasons": [
            {
                "festival": season.festival,
                "first_on": season.first_on.isoformat(),
                "last_on": season.last_on.isoformat(),
            }
            for season in gift_seasons(first_on, last_on)
        ],
        "pairs": [pair._asdict() for pair in PAIRS],
        "cycle_days": {one.sku: one.cycle_days for one in products},
        "promotion_weeks": [dict(week) for week in promotions.weeks],
        "customers": {person.external_id: _customer(person) for person in people},
    }


def _customer(person: Person) -> dict[str, Any]:
    behaviour, tastes = person.behaviour, person.tastes
    return {
        "archetype": str(behaviour.archetype),
        "joined_on": behaviour.joined_on.isoformat(),
        "interval_days": behaviour.interval_days,
        "interval_spread": behaviour.interval_spread,
        "final_interval_days": behaviour.final_interval_days,
        "leaves_on": _iso(behaviour.leaves_on),
        "lapsed_from": _iso(behaviour.lapsed_from),
        "lapsed_until": _iso(behaviour.lapsed_until),
        "promotion_share": behaviour.promotion_share,
        "favourite_categories": list(tastes.favourite_categories),
        "favourite_store": tastes.store.name,
        "online_share": tastes.online_share,
        "usual_hour": tastes.usual_minute / 60,
        "staples": dict(tastes.staples),
        "child_born_on": _iso(tastes.child_born_on),
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
