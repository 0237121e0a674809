"""What time alone does to tiers, on both databases."""

from datetime import UTC, date, datetime, time
from typing import Any, TypeAlias

import pytest

from crmkit import Crm, table_of
from crmkit_tiers import reviewing
from crmkit_tiers.models import TierMembership
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


def review(shop: Shop, day: str) -> int:
    """Do the whole review of a day; returns how many were looked at."""
    total = 0
    while done := page(shop.crm, day):
        total += done
    return total


def test_a_year_that_ends_takes_what_was_not_deserved_again(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=YEARLY)
    shop.sell("ann", "1000", "2026-03-01")
    shop.sell("bob", "600", "2025-12-01")

    assert review(shop, "2026-12-31") == 1  # bob's 2025 was not looked at in time
    assert shop.story("bob")[-1] == ("kept", "silver", "2025-12-01")
    assert review(shop, "2027-01-01") == 2
    assert shop.story("ann")[-1] == ("kept", "gold", "2026-03-01")
    assert shop.story("bob")[-1] == ("downgrade", "member", "2027-01-01")
    assert review(shop, "2027-01-01") == 0


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
    assert review(shop, "2026-06-30") == 1
    assert shop.tier("ann") == "silver"
    assert review(shop, "2026-06-30") == 0
    assert review(shop, "2026-07-01") == 1
    assert shop.story("ann")[-1] == ("downgrade", "member", "2026-07-01")
    assert review(shop, "2026-07-02") == 0  # a member has nothing to lose


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

    assert review(shop, "2026-06-15") == 2

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

    assert review(shop, "2026-06-15") == 2
    assert review(shop, "2026-06-15") == 0

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
    shop = shop_factory(club=YEARLY)
    names = [f"c{number}" for number in range(7)]
    shop.enrol(*names)
    shop.record(*(shop.document(name, "600", "2026-03-01") for name in names))

    assert [page(shop.crm, "2028-01-01") for _ in range(4)] == [3, 3, 1, 0]
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
    assert review(shop, "2028-01-01") == 1


def test_after_a_rebuild_everybody_is_looked_at_again(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=YEARLY)
    shop.sell("ann", "600", "2026-03-01")
    look_on = shop.held("ann").look_on
    shop.crm.write(lambda session: session.execute(table_of(TierMembership).delete()))

    shop.rebuild()

    assert review(shop, "2026-06-15") == 1
    assert shop.held("ann").look_on == look_on
    assert len(shop.history("ann")) == 1


def test_the_job_reviews_everybody_that_is_due(shop_factory: ShopFactory) -> None:
    shop = shop_factory(club=YEARLY)
    shop.sell("ann", "600", "2020-03-01")
    shop.sell("bob", "5", "2020-03-01")

    shop.crm.run_job("tiers.review")

    assert shop.story("ann")[-1] == ("downgrade", "member", "2022-01-01")
    assert shop.crm.run_job("tiers.review") == 0
