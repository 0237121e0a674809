"""How many points a transaction earns, and how many a return takes back. Pure.

Fractions of a point are dropped, once per transaction: when points are given, and when they are
taken back, each time counted over everything that came back so far. So returning a sale in parts
takes back exactly what it gave, and never more on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from crmkit import RecordedLine
from crmkit.models import LineKind
from crmkit.money import currency_digits

RULE = "per_amount"
VERSION = 1
_PRODUCT = LineKind.PRODUCT.value

Returned = tuple[int, int]
"""Position of a sold line, and how many thousandths of its unit came back."""


def eligible_minor(lines: Iterable[RecordedLine]) -> int:
    """Return the amount that counts: products, without those that come back from another sale."""
    return sum(
        line.amount_minor
        for line in lines
        if line.kind == _PRODUCT and line.original_position is None
    )


@lru_cache(maxsize=64)
def points_per_minor(points_per_major_unit: Decimal, currency: str) -> Fraction:
    """Return the rate for the smallest unit of a currency, exactly."""
    return Fraction(points_per_major_unit) / Fraction(10) ** currency_digits(currency)


def points_for(amount_minor: int, per_minor: Fraction) -> int:
    """Return the points that an amount is worth; fractions are dropped, never rounded up.

    Args:
        amount_minor: what was spent; nothing is earned on 0 or less.
        per_minor: points for each minor unit.
    """
    return max(0, amount_minor) * per_minor.numerator // per_minor.denominator


def sold_minor(sold: Sequence[RecordedLine]) -> int:
    """Return what the goods of a sale cost that can come back, in minor units."""
    return sum(line.amount_minor for line in sold if _can_come_back(line))


def _can_come_back(line: RecordedLine) -> bool:
    return (
        line.kind == _PRODUCT
        and line.original_position is None
        and line.amount_minor > 0
        and line.quantity_milli > 0
    )


def returned_share(sold: Sequence[RecordedLine], returned: Iterable[Returned]) -> Fraction:
    """Return how much of a sale's value came back, from 0 to 1.

    Each sold product carries its part of the value by amount; a part of its quantity carries that
    part of its amount. Products sold for nothing carry nothing.
    """
    worth = {
        line.position: Fraction(line.amount_minor, line.quantity_milli)
        for line in sold
        if _can_come_back(line)
    }
    total = sold_minor(sold)
    back = sum(
        (worth[position] * quantity for position, quantity in returned if position in worth),
        Fraction(),
    )
    return back / total if total else Fraction()


def weights_in(explanation: Mapping[str, Any]) -> Mapping[int, int] | None:
    """Return the part of each sold line in what a rule gave, as its explanation tells it."""
    lines = explanation.get("lines")
    return lines and {int(position): weight for position, weight in lines.items()}


def weighted_share(
    weights: Mapping[int, int], sold: Iterable[RecordedLine], returned: Iterable[Returned]
) -> Fraction:
    """Return how much of what some points were given for came back, from 0 to 1.

    Args:
        weights: what part each sold line has in it, by position.
    """
    worth = {
        line.position: Fraction(weights[line.position], line.quantity_milli)
        for line in sold
        if line.position in weights
    }
    back = sum(
        (worth[position] * quantity for position, quantity in returned if position in worth),
        Fraction(),
    )
    return back / sum(weights.values())


def points_to_take_back(earned: int, share: Fraction, taken: int) -> int:
    """Return the points that a return takes back.

    Args:
        earned: what the sale gave.
        share: how much of its value came back by now, this return included.
        taken: what earlier returns of it took, and what of it expired.
    """
    return max(0, earned * share.numerator // share.denominator - taken)
