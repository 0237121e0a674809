"""What time alone does to tiers, on both databases."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

import pytest

from crmkit import Crm
from crmkit_tiers import reviewing, sweeping
from crmkit_tiers.deciding import Subject, decide
from crmkit_tiers.memberships import read_held
from tier_sets import CLUB, club

Shop: TypeAlias = Any
ShopFactory: TypeAlias = Any

YEARLY = club("calendar_year", review="fixed_date", review_on="12-31")


def page(crm: Crm, day: str) -> int:
    """Do one page of the review on a day."""
    settings: Any = crm.registry["tiers"].settings
    today = date.fromisoformat(day)
    now = datetime.combine(today, time(3), UTC)
    return crm.write(
        lambda session: reviewing.review_page(
            session, settings, crm.registry.metrics, now=now, today=today
        )
    )


def review(shop: Shop, day: str) -> None:
    """Do the whole review of a day, and then once more, which must find nothing to change."""
    while page(shop.crm, day):
        pass
    before = [shop.story(who) for who in shop.ids]
    assert page(shop.crm, day) == 0
    assert [shop.story(who) for who in shop.ids] == before


def test_a_year_that_ends_takes_what_was_not_deserved_again(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=YEARLY)
    shop.sell("ann", "1000", "2026-03-01")
    shop.sell("bob", "600", "2025-12-01")

    review(shop, "2026-12-31")  # bob's 2025 was not looked at in time
    assert shop.story("bob")[-1] == ("kept", "silver", "2025-12-01")
    review(shop, "2027-01-01")
    assert shop.story("ann")[-1] == ("kept", "gold", "2026-03-01")
    assert shop.story("bob")[-1] == ("downgrade", "member", "2027-01-01")


@pytest.mark.parametrize(
    "days", [["2029-03-05"], ["2027-01-01", "2028-01-01", "2029-01-01"]], ids=["late", "in time"]
)
def test_a_review_that_comes_late_decides_as_if_it_had_come_in_time(
    shop_factory: ShopFactory, days: list[str]
) -> None:
    shop = shop_factory(club=YEARLY)
    shop.sell("ann", "1000", "2026-03-01")

    for day in days:
        review(shop, day)

    assert shop.story("ann") == [
        ("joined", "gold", "2026-03-01"),
        ("kept", "gold", "2026-03-01"),
        ("downgrade", "member", "2028-01-01"),
    ]
    assert shop.differences() == []


def test_a_window_that_moves_on_takes_the_tier_on_the_day(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=club("rolling", 30, review="at_once"))
    shop.sell("ann", "600", "2026-06-01")

    # 30 days, the last included: the 1 June counts until the 30th.
    review(shop, "2026-06-30")
    assert shop.tier("ann") == "silver"
    review(shop, "2026-07-01")
    assert shop.story("ann")[-1] == ("downgrade", "member", "2026-07-01")
    review(shop, "2026-07-02")  # a member has nothing to lose


def test_days_of_grace_end_by_themselves(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club={**YEARLY, "grace_days": 10})
    shop.sell("ann", "600", "2026-03-01")

    for day in ("2028-01-01", "2028-01-10", "2028-01-11"):
        review(shop, day)

    assert [(cause, tier) for cause, tier, _ in shop.story("ann")] == [
        ("joined", "silver"), ("kept", "silver"), ("at_risk", "silver"), ("downgrade", "member"),
    ]  # fmt: skip
    assert shop.story("ann")[-1][2] == "2028-01-11"


def test_customers_from_before_the_tiers_are_looked_at(shop_factory: ShopFactory) -> None:
    before = shop_factory(other=CLUB)
    before.sell("ann", "600", "2026-03-01")
    before.sell("bob", "5", "2026-04-01")
    before.crm.close()
    shop = shop_factory(club=CLUB)
    shop.ids = before.ids

    review(shop, "2026-06-15")

    assert shop.memberships("ann")["club"].tier == "silver"
    assert shop.memberships("ann")["club"].joined_on == date(2026, 3, 1)
    assert shop.memberships("bob")["club"].tier == "member"


def test_other_rules_look_at_everybody_once_and_lower_nobody_before_a_review(
    shop_factory: ShopFactory,
) -> None:
    before = shop_factory(club={**CLUB, "downgrade": "none"})
    before.sell("ann", "600", "2026-03-01")
    before.sell("bob", "450", "2026-03-01")
    assert before.held("ann").valid_until_on is None
    before.crm.close()
    stricter = [dict(tier) for tier in CLUB["tiers"]]
    stricter[1] = {"name": "silver", "entry": {"metric": "core.net_spend", "at_least": 700}}
    shop = shop_factory(club={**CLUB, "tiers": stricter})
    shop.ids = before.ids

    review(shop, "2026-06-15")

    # Her tier had no day on which it was reviewed; now it has, a year from today.
    assert shop.story("ann")[-1] == ("kept", "silver", "2026-03-01")
    assert shop.held("ann").valid_until_on == date(2027, 6, 14)
    assert len(shop.history("bob")) == 1
    review(shop, "2027-06-15")
    assert shop.story("ann")[-1] == ("downgrade", "member", "2027-06-15")


def test_the_work_can_stop_after_any_page(
    shop_factory: ShopFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "PAGE", 3)
    monkeypatch.setattr(sweeping, "PAGE", 3)
    shop = shop_factory(club=YEARLY)
    names = [f"c{number}" for number in range(7)]
    shop.enrol(*names)
    shop.record(*(shop.document(name, "600", "2026-03-01") for name in names))

    # Seven reviews, then a sweep through them, ann and bob, then nothing.
    assert [page(shop.crm, "2028-01-01") for _ in range(7)] == [3, 3, 1, 3, 3, 3, 0]
    assert {shop.tier(name) for name in names} == {"member"}
    assert {len(shop.history(name)) for name in names} == {3}


def test_a_page_that_fails_leaves_no_trace(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=YEARLY)
    shop.sell("ann", "600", "2026-03-01")
    settings, metrics = shop.settings, shop.crm.registry.metrics
    today, now = date(2028, 1, 1), datetime(2028, 1, 1, tzinfo=UTC)

    def failing(session: Any) -> None:
        reviewing.review_page(session, settings, metrics, now=now, today=today)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        shop.crm.write(failing)

    assert shop.tier("ann") == "silver"
    review(shop, "2028-01-01")


SPEND = {"metric": "core.net_spend", "window": "since_joining", "at_least": "99.995"}
VISITS = {"metric": "core.purchase_days", "window": "rolling", "days": 40, "at_least": 3}
PIECES = {"metric": "core.quantity", "window": "since_tier", "at_least": "4.5"}
MIXED = {
    "currency": "CNY",
    "review": "at_once",
    "tiers": [
        {"name": "low"},
        {"name": "mid", "entry": {"any": [{"all": [SPEND, {"not": PIECES}]}, VISITS]}},
        {"name": "top", "entry": {"all": [SPEND, VISITS]}},
    ],
}


def test_the_review_is_a_job_on_the_shops_own_day(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club={**YEARLY, "tiers": CLUB["tiers"]})
    shop.sell("ann", "600", "2025-06-01")  # the clock stands in June 2026

    shop.crm.run_job("tiers.review")

    assert shop.story("ann")[-1] == ("kept", "silver", "2025-06-01")
    assert shop.held("ann").valid_until_on == date(2026, 12, 31)
    assert shop.crm.run_job("tiers.review") == 0


def test_a_sweep_finds_everybody_whose_tier_the_day_changes(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=MIXED)
    draw = random.Random(3)
    names = [f"c{number}" for number in range(40)]
    shop.enrol(*names)
    days = sorted(date(2026, 1, 1) + timedelta(days=draw.randrange(150)) for _ in range(200))
    shop.record(
        *(
            shop.document(draw.choice(names), str(draw.randrange(10, 60)), day.isoformat())
            for day in days
        )
    )

    for day in ("2026-06-01", "2026-06-20", "2026-07-15"):
        review(shop, day)
        # Looking closely at everybody, found or not, changes nothing more.
        looked = close_look(shop, day)
        assert looked >= 38
    assert {shop.tier(name) for name in shop.ids if name != "ann" and name != "bob"} == {
        "low", "mid",
    }  # fmt: skip


def close_look(shop: Shop, day: str) -> int:
    """Decide for all customers on a day; nothing may follow. Returns how many they were."""
    tier_set, today = shop.settings.sets["club"], date.fromisoformat(day)
    now = datetime.combine(today, time(3), UTC)
    with shop.crm.read() as session:
        held = read_held(session, "club", list(shop.ids.values()))
        subjects = [
            Subject(who, each.state, today, each.state.joined_on, now, is_review=True)
            for who, each in held.items()
        ]
        assert decide(session, tier_set, shop.crm.registry.metrics, subjects) == []
    return len(subjects)
