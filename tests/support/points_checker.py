"""Computes what an entry of the points book moves, from its explanation alone.

It shares no code with the points programme. What it cannot know, because it lies in what the
account held, is given: the points there were before.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from earning_checker import points_from


def delta_from(kind: str, rule: str, told: Mapping[str, Any], before: int) -> int:
    """Return the points that an entry adds; negative when they go.

    Args:
        told: the explanation.
        before: points on the account right before, never negative.
    """
    if kind == "accrual":
        return _by_amount(told) if rule == "per_amount" else points_from(told)
    if kind == "expiry":
        return -int(told["left"])
    if kind == "release":
        return int(told["held"])
    if kind in ("redemption", "hold"):
        return -int(told["points"])
    if kind == "adjustment":
        return int(told["requested"]) if rule == "manual" else -min(int(_due(told)), before)
    return int(_reversed(rule, told))


def value_from(told: Mapping[str, Any]) -> int:
    """Return what redeemed points pay, in hundredths of the major unit."""
    return floor(int(told["points"]) * Fraction(told["value"]) * 100)


def _by_amount(told: Mapping[str, Any]) -> int:
    minor = abs(told["amount_minor"]) - told.get("paid_by_points_minor", 0)
    exact = Fraction(minor, 100) * Fraction(told["points_per_major_unit"])
    for each in told.get("tiers", []):
        exact *= Fraction(Decimal(each["multiplier"]))
    return floor(exact)


def _due(told: Mapping[str, Any]) -> int:
    if "rules" not in told:
        return _by_amount(told)
    return sum(points_from(each) for each in told["rules"])


def _reversed(rule: str, told: Mapping[str, Any]) -> Any:
    if rule == "proportional":
        return told["taken"] + told["expired"] - floor(told["earned"] * Fraction(told["share"]))
    if rule == "undo":
        return -int(told["undone"])
    if rule == "forgive":
        return int(told["missing"])
    return sum((told.get("lots") or told["instead_of"]).values())
