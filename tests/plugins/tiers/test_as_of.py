"""Tiers of past days, against what was held on these days."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

import pytest

from crmkit import Actor
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema
from crmkit_tiers.assigning import assign, read_assignment
from tier_sets import CLUB, club

Shop: TypeAlias = Any

QUERY = """query ($on: Date!, $known: DateTime) { customers { nodes { id tiers {
  asOf(on: $on, knownAt: $known) { tierSet tier sinceOn }
} } } }"""
FIRST = date(2026, 7, 1)
DAY = timedelta(days=1)


class Desk:
    """Asks as an administrator."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._schema = shop, ComposedSchema(shop.crm)

    def ask(self, on: date, known: datetime | None = None) -> list[Any]:
        """Return the customers of the answer."""
        admin = Actor("test", "admin", self._shop.crm.roles["admin"])
        given = {"on": on.isoformat(), "known": known and known.isoformat()}
        answer = self._schema.execute(GraphQLRequest(QUERY, given), admin)
        assert answer.errors == [], answer.errors
        assert answer.data is not None
        return list(answer.data["customers"]["nodes"])

    def as_of(self, on: date, known: datetime | None = None) -> dict[str, tuple[str, str | None]]:
        """Return tier and first day in the set `club`, by the customer's name."""
        found = {}
        for node in self.ask(on, known):
            (name,) = (name for name, id_ in self._shop.ids.items() if node["id"].endswith(id_.hex))
            (held,) = node["tiers"]["asOf"]
            found[name] = held["tier"], held["sinceOn"]
        return found


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


def held(shop: Shop) -> dict[str, tuple[str, str | None]]:
    """Return the same of what is stored now."""
    found: dict[str, tuple[str, str | None]] = {}
    for who in shop.ids:
        membership = shop.memberships(who).get("club")
        found[who] = ("member", None)
        if membership is not None:
            found[who] = membership.tier, membership.since_on.isoformat()
    return found


def _assign(shop: Shop, who: str, tier: str, day: date, at: datetime) -> None:
    wanted = read_assignment(
        shop.settings, "club", tier, day + 6 * DAY, "asked", f"k{at}", freezes=False
    )
    shop.crm.write(
        lambda session: assign(
            session, shop.ids[who], wanted, actor="eve", now=at, today=day,
            settings=shop.settings, metrics=shop.crm.registry.metrics,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    "rules",
    [
        club("rolling", 10, review="at_once"),
        club("rolling", 8, review="fixed_date", review_on="07-12", grace_days=5),
        club("since_tier", review="fixed_date", review_on="07-09", downgrade="one_step"),
    ],
    ids=["at once", "grace", "one step"],
)
def test_each_day_is_told_as_it_ended(rules: dict[str, Any], shop_factory: Any) -> None:
    shop, rng = shop_factory(club=rules), random.Random(4)
    ended = {}
    for number in range(25):
        day = FIRST + number * DAY
        morning = datetime.combine(day, time(), UTC)
        shop.crm.clock.advance(morning - shop.crm.clock.now())
        shop.crm.run_job("tiers.review")
        shop.crm.clock.advance(timedelta(hours=12))
        for _ in range(rng.randint(0, 2)):
            who, sells = rng.choice(("ann", "bob")), rng.random() < 0.8
            (shop.sell if sells else shop.take_back)(who, str(rng.randint(50, 600)), str(day))
        if rng.random() < 0.15:
            tier = rng.choice(("member", "silver", "gold"))
            _assign(shop, rng.choice(("ann", "bob")), tier, day, shop.crm.clock.now())
        ended[day] = shop.crm.clock.now(), held(shop)

    desk = Desk(shop)
    for day, (at, then) in ended.items():
        assert desk.as_of(day) == then
        assert desk.as_of(day, known=at) == then
    assert len({tier for _, then in ended.values() for tier, _ in then.values()}) > 1


def test_today_is_told_as_it_stands(shop: Shop, desk: Desk) -> None:
    shop.sell("ann", "600", "2026-06-15")

    assert desk.as_of(date(2026, 6, 15)) == held(shop)
    assert desk.as_of(date(2026, 6, 15))["ann"] == ("silver", "2026-06-15")


def test_before_the_first_change_everybody_has_the_first_tier(shop: Shop, desk: Desk) -> None:
    shop.sell("ann", "600", "2026-06-15")

    assert desk.as_of(date(2026, 6, 14)) == {"ann": ("member", None), "bob": ("member", None)}


def test_what_was_not_known_yet_is_left_out(shop: Shop, desk: Desk) -> None:
    before = shop.crm.clock.now()
    shop.crm.clock.advance(DAY)
    shop.sell("ann", "600", "2026-06-15")

    assert desk.as_of(date(2026, 6, 15), known=before)["ann"] == ("member", None)
    assert desk.as_of(date(2026, 6, 15))["ann"][0] == "silver"


def test_a_tier_set_that_is_no_more_is_told_as_it_was(shop_factory: Any) -> None:
    shop = shop_factory(new=CLUB, old=CLUB)
    shop.sell("ann", "600", "2026-06-15")
    shop.crm.close()
    shop = shop_factory(new=CLUB)

    sets = {
        (each["tierSet"], each["tier"])
        for node in Desk(shop).ask(date(2026, 6, 15))
        for each in node["tiers"]["asOf"]
    }
    assert ("old", "silver") in sets
