"""Tier sets for tests, as settings write them."""

from typing import Any

CLUB: dict[str, Any] = {
    "currency": "CNY",
    "tiers": [
        {"name": "member"},
        {
            "name": "silver",
            "entry": {"metric": "core.net_spend", "at_least": "500"},
            "stay": {"metric": "core.net_spend", "at_least": "300"},
            "point_multiplier": "1.25",
            "benefits": {"free_delivery": True},
        },
        {
            "name": "gold",
            "entry": {"metric": "core.net_spend", "at_least": "1000"},
            "stay": {"metric": "core.net_spend", "at_least": "800"},
            "point_multiplier": "2",
            "benefits": {"free_delivery": True, "birthday_gift": "cake", "discount_percent": 5},
        },
    ],
}
"""Tiers by what was ever spent; yuan and full days."""


def club(window: str = "lifetime", days: int | None = None, **policies: Any) -> dict[str, Any]:
    """Return `CLUB` with another window in all conditions, and other policies."""
    more = {"window": window, **({"days": days} if days else {})}
    tiers = [
        {key: {**value, **more} if key in ("entry", "stay") else value for key, value in t.items()}
        for t in CLUB["tiers"]
    ]
    return {**CLUB, "tiers": tiers, **policies}
