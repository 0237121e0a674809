"""Every change can be decided again from its explanation alone, and its figures from the sales."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from sqlmodel import select

from crmkit import Crm
from crmkit_tiers.models import TierChange, TierRules
from tier_checker import recompute
from tier_sets import CLUB, club

ShopFactory: TypeAlias = Any
Sale = tuple[str, date, int]
"""Who, when, how many yuan; negative for a return."""

SETS = {
    "yearly": club("calendar_year", review="fixed_date", review_on="12-31", grace_days=20),
    "rolling": club("rolling", 120, downgrade="one_step"),
    "joined": club("since_joining", review="membership_anniversary", upgrade="at_period_end"),
    "ever": {**CLUB, "on_return": "at_once"},
    "visits": {
        "currency": "CNY",
        "tiers": [
            {"name": "guest"},
            {
                "name": "regular",
                "entry": {
                    "any": [
                        {"metric": "core.purchase_days", "window": "since_tier", "at_least": 4},
                        {
                            "all": [
                                {"metric": "core.sale_count", "at_least": 3},
                                {"not": {"metric": "core.quantity", "at_least": 5}},
                            ]
                        },
                    ]
                },
            },
        ],
    },
}


def history(seed: int, customers: list[str], sales: int) -> list[Sale]:
    draw = random.Random(seed)
    first = date(2023, 1, 1)
    days = sorted(draw.randrange(1000) for _ in range(sales))
    return [
        (draw.choice(customers), first + timedelta(days=day),
         draw.randrange(50, 700) * (-1 if draw.random() < 0.15 else 1))
        for day in days
    ]  # fmt: skip


def changes_of(crm: Crm) -> list[tuple[TierChange, dict[str, Any]]]:
    with crm.read() as session:
        joined = select(TierChange, TierRules).where(TierChange.rule_version == TierRules.version)
        found = [(change, rules.rules) for change, rules in session.exec(joined)]
        session.expunge_all()
    return found


def test_a_thousand_changes_follow_from_their_explanations(shop_factory: ShopFactory) -> None:
    shop = shop_factory(**SETS)
    customers = [f"c{number}" for number in range(60)]
    shop.enrol(*customers)
    sold = history(7, customers, 1_500)
    documents = [
        shop.document(who, str(abs(yuan)), day.isoformat(), "sale" if yuan > 0 else "return")
        for who, day, yuan in sold
    ]

    for start in range(0, len(documents), 25):
        shop.record(*documents[start : start + 25])

    changes = changes_of(shop.crm)
    names = {id_: name for name, id_ in shop.ids.items()}
    assert len(changes) >= 1_000
    assert {change.cause for change, _ in changes} >= {
        "joined", "upgrade", "kept", "at_risk", "downgrade",
    }  # fmt: skip
    for change, rules in changes:
        assert recompute(rules, change.explanation) == (change.cause, change.to_tier)
        for figure in change.explanation["figures"]:
            if figure["metric"] == "core.net_spend":
                between = [
                    yuan
                    for who, day, yuan in sold
                    if who == names[change.customer_id]
                    and figure["from"] <= day.isoformat() <= figure["to"]
                ]
                assert Decimal(figure["value"]) == sum(between)
    assert shop.differences() == []
