"""Computes the points of an accrual again from its explanation alone; shares no code with it."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any

_EXACT = Context(prec=200)
_MODES = {"floor": ROUND_FLOOR, "half_up": ROUND_HALF_UP, "ceiling": ROUND_CEILING}


def points_from(explanation: Mapping[str, Any]) -> int:
    """Return the points that the inputs of an explanation make."""
    counted = Decimal(explanation["units"])
    if "every" in explanation:
        counted = _EXACT.divide_int(counted, Decimal(explanation["every"]))
    product = _EXACT.multiply(counted, Decimal(explanation["points"]))
    for each in explanation.get("factors", []):
        product = _EXACT.multiply(product, Decimal(each["factor"]))
    for each in explanation.get("tiers", []):
        product = _EXACT.multiply(product, Decimal(each["multiplier"]))
    points = int(product.to_integral_value(_MODES[explanation["rounding"]], _EXACT))
    lefts: list[int] = [each["left"] for each in explanation.get("limits", [])]
    most: int = explanation.get("sale_left", points)
    return min(points, most, *lefts)
