"""Tiers multiply points: a sale earns with the tier held before it, then the tier is looked at."""

from typing import Any, TypeAlias

import pytest
from sqlmodel import select

from crmkit_loyalty.models import LedgerEntry
from tier_sets import CLUB

Shop: TypeAlias = Any
ShopFactory: TypeAlias = Any


@pytest.fixture
def shop(shop_factory: ShopFactory) -> Shop:
    """Give a shop with points and tiers: silver earns 1.25, gold 2 for each yuan."""
    return shop_factory("loyalty", loyalty={})


def entries(shop: Shop, who: str) -> list[LedgerEntry]:
    with shop.crm.read() as session:
        wanted = select(LedgerEntry).where(LedgerEntry.customer_id == shop.ids[who])
        found = sorted(session.exec(wanted).all(), key=lambda entry: entry.id)
        session.expunge_all()
        return found


def points(shop: Shop, who: str) -> list[int]:
    return [entry.points_delta for entry in entries(shop, who)]


def test_a_sale_earns_with_the_old_tier_and_then_lifts_it(shop: Shop) -> None:
    shop.sell("ann", "600", "2026-06-01")  # a member's sale makes silver: 600 x 1
    shop.sell("ann", "400", "2026-06-02")  # a silver sale makes gold: 400 x 1.25
    shop.sell("ann", "0.75", "2026-06-03")  # 0.75 x 2 = 1.5, fractions dropped

    assert points(shop, "ann") == [600, 500, 1]


def test_an_entry_tells_tier_and_multiplier(shop: Shop) -> None:
    shop.sell("ann", "600", "2026-06-01")
    shop.sell("ann", "100", "2026-06-02")

    first, second = entries(shop, "ann")

    assert "tiers" not in first.explanation
    assert second.explanation["tiers"] == [
        {"tier_set": "club", "tier": "silver", "multiplier": "1.25"}
    ]
    assert second.explanation["points_per_major_unit"] == "1"


def test_a_late_sale_earns_with_the_tier_of_its_own_time(shop: Shop) -> None:
    shop.sell("ann", "600", "2026-06-01")
    shop.sell("ann", "400", "2026-06-03")

    shop.sell("ann", "100", "2026-06-02")
    shop.sell("ann", "100", "2026-05-31")

    assert points(shop, "ann") == [600, 500, 125, 100]


def test_all_sales_of_a_batch_earn_with_the_tier_before_it(shop: Shop) -> None:
    shop.record(
        shop.document("ann", "600", "2026-06-01"), shop.document("ann", "400", "2026-06-02")
    )

    assert points(shop, "ann") == [600, 400]
    assert shop.tier("ann") == "gold"


def test_a_return_takes_back_what_was_multiplied(shop: Shop) -> None:
    shop.sell("ann", "600", "2026-06-01")
    sale = shop.sell("ann", "100", "2026-06-02")

    shop.record(shop.document(None, "100", "2026-06-03", "return", original=sale))

    assert points(shop, "ann") == [600, 125, -125]


def test_several_sets_multiply_each_other(shop_factory: ShopFactory) -> None:
    other = {**CLUB, "tiers": [{"name": "all", "point_multiplier": "1.1"}]}
    shop = shop_factory("loyalty", loyalty={}, club=CLUB, other=other)
    shop.sell("ann", "600", "2026-06-01")  # 600 x 1.1

    shop.sell("ann", "100", "2026-06-02")  # 100 x 1.1 x 1.25 = 137.5

    assert points(shop, "ann") == [660, 137]


def test_without_tiers_points_are_what_they_were(shop_factory: ShopFactory) -> None:
    shop = shop_factory("loyalty", loyalty={}, club={**CLUB, "tiers": [{"name": "member"}]})

    shop.sell("ann", "600", "2026-06-01")

    assert points(shop, "ann") == [600]
    assert shop.crm.registry.services.find("tiers.multiplier", 1) is not None
    assert [loaded.name for loaded in shop.crm.registry.plugins] == ["core", "loyalty", "tiers"]
