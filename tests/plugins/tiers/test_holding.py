"""Who held which tier, for rules of points that are only for some."""

from typing import Any, TypeAlias

import pytest
from sqlmodel import select

from crmkit_loyalty.models import LedgerEntry
from tier_sets import CLUB

Shop: TypeAlias = Any
ShopFactory: TypeAlias = Any

FOR_SILVER = {
    "rules": [
        {"name": "base", "kind": "per_amount", "points": 1},
        {"name": "silver", "kind": "bonus", "points": 7, "tiers": {"club": ["silver", "gold"]}},
    ]
}
PLAIN = {**CLUB, "tiers": [{**tier, "point_multiplier": "1"} for tier in CLUB["tiers"]]}


def given(shop: Shop, who: str) -> list[tuple[str, int]]:
    with shop.crm.read() as session:
        wanted = select(LedgerEntry).where(LedgerEntry.customer_id == shop.ids[who])
        found = sorted(session.exec(wanted).all(), key=lambda entry: entry.id)
        return [(entry.rule, entry.points_delta) for entry in found]


def test_a_rule_for_a_tier_asks_which_was_held_just_before(shop_factory: ShopFactory) -> None:
    shop = shop_factory("loyalty", loyalty=FOR_SILVER, club=PLAIN)

    shop.sell("ann", "600", "2026-06-01")  # makes silver
    shop.sell("ann", "10", "2026-06-02")
    shop.sell("ann", "10", "2026-05-31")  # comes late, from before
    shop.sell("bob", "10", "2026-06-02")

    assert given(shop, "ann") == [("base", 600), ("base", 10), ("silver", 7), ("base", 10)]
    assert given(shop, "bob") == [("base", 10)]


def test_every_set_is_told_and_who_never_had_a_tier_holds_the_first(
    shop_factory: ShopFactory,
) -> None:
    other = {**CLUB, "tiers": [{"name": "all"}]}
    shop = shop_factory(club=CLUB, other=other)
    shop.sell("ann", "600", "2026-06-01")
    held = shop.crm.registry.services.find("tiers.held", 1)
    assert held is not None

    with shop.crm.read() as session:
        wanted = [(shop.ids[who], shop.crm.clock.now()) for who in ("ann", "bob")]
        found = held(session, wanted)

    assert found == [
        {"club": "silver", "other": "all"}, {"club": "member", "other": "all"},
    ]  # fmt: skip


@pytest.mark.parametrize("plugins", [("loyalty",)])
def test_without_tiers_a_rule_for_a_tier_is_for_everybody(
    crm_factory: Any, plugins: tuple[str, ...]
) -> None:
    crm = crm_factory(*plugins, plugin={"loyalty": FOR_SILVER})

    assert crm.registry.services.find("tiers.held", 1) is None
