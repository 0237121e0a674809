"""What earning rules give for the lines of a sale. Pure: no session, no clock.

For each rule that fits: units x points x factors, made whole as the rule says, at most what the
rule allows for one sale. The basis of each result holds these numbers, and so explains it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple
from uuid import UUID

from crmkit import RecordedLine
from crmkit_loyalty.earning_kinds import LIMITS
from crmkit_loyalty.earning_matching import (
    Circumstances,
    amount_of,
    by_points,
    chosen_rules,
    minor_of,
)
from crmkit_loyalty.earning_rules import EarningRule
from crmkit_loyalty.multipliers import as_inputs, factor_of

VERSION = 2
_ROUNDED = {
    "floor": floor,
    "half_up": lambda exact: floor(exact + Fraction(1, 2)),
    "ceiling": ceil,
}
_UNITS = {"per_visit": "sales", "bonus": "sales", "per_line": "lines", "per_quantity": "quantity"}


class Cause(NamedTuple):
    """What a customer gets points for; the names are those of entries.

    Attributes:
        source: what it is, such as `transaction`.
        id: the transaction or whatever else it is.
        business_on: the day for which limits count.
    """

    source: str
    id: UUID
    customer_id: UUID
    occurred_at: datetime
    business_on: date


class Earned(NamedTuple):
    """What one rule gives.

    Attributes:
        line: position of the line it is for; 0 is the whole sale. Of a birthday, the year.
        points: more than 0.
        basis: the inputs and the formula; enough to compute the points again.
    """

    rule: EarningRule
    line: int
    points: int
    basis: Mapping[str, Any]


def earn(
    rules: Sequence[EarningRule], lines: Sequence[RecordedLine], around: Circumstances
) -> list[Earned]:
    """Return what rules give for a sale, in the order of the rules, then of the lines.

    Args:
        rules: in the order in which they are asked.
        lines: all lines of the sale; those that come back from another sale never count.
    """
    chosen = chosen_rules(rules, lines, around)
    multipliers = [rule for rule, _ in chosen if rule.kind == "multiplier"]
    return [
        earned
        for rule, counted in chosen
        if rule.kind != "multiplier"
        for earned in _by_rule(rule, counted, around, multipliers)
    ]


def _by_rule(
    rule: EarningRule,
    counted: Sequence[RecordedLine],
    around: Circumstances,
    multipliers: Sequence[EarningRule],
) -> Iterator[Earned]:
    applied = _applied(rule, around, multipliers)
    left = rule.sale_max
    for line, units, weights in _measured(rule, counted, around):
        basis = {
            "version": VERSION,
            "rule": rule.name,
            "kind": rule.kind,
            "formula": _formula(rule, applied),
            "business_on": around.business_on.isoformat(),
            "unit": _UNITS.get(rule.kind, around.currency),
            "units": number_text(units),
            "points": number_text(rule.points or Decimal()),
            "rounding": rule.rounding,
            "lines": {str(position): weight for position, weight in weights.items()},
            **applied,
        }
        if rule.kind == "per_amount" and around.paid_by_points:
            basis["paid_by_points"] = number_text(
                by_points(amount_of(rule, counted, around), around)
            )
        if rule.every is not None:
            basis["every"] = number_text(rule.every)
        points = _points(rule, units, applied, around)
        if left is not None:
            basis["sale_left"] = left
            points = min(points, left)
            left -= points
        if points > 0:
            yield Earned(rule, line, points, basis)


def _points(
    rule: EarningRule, units: Decimal, applied: Mapping[str, Any], around: Circumstances
) -> int:
    exact = Fraction(units)
    if rule.every is not None:
        exact = Fraction(floor(exact / Fraction(rule.every)))
    exact *= Fraction(rule.points or 0)
    if rule.kind != "bonus":
        exact *= factor_of(around.multiplied)
        for each in applied.get("factors", ()):
            exact *= Fraction(each["factor"])
    whole: int = _ROUNDED[rule.rounding](exact)
    return max(0, whole)


def _measured(
    rule: EarningRule, counted: Sequence[RecordedLine], around: Circumstances
) -> Iterator[tuple[int, Decimal, Mapping[int, int]]]:
    """Give for what points are due: the line or 0, how many units, and the weight of each line.

    By the weights a return takes its share: of money for money, of pieces for pieces.
    """
    pieces = {line.position: line.quantity_milli for line in counted if line.quantity_milli > 0}
    if rule.kind == "per_line":
        for position, weight in pieces.items():
            yield position, Decimal(1), {position: weight}
        return
    worth = {
        line.position: minor_of(rule, line)
        for line in counted
        if line.position in pieces and minor_of(rule, line) > 0
    }
    if rule.kind == "per_quantity":
        yield 0, Decimal(sum(line.quantity_milli for line in counted)) / 1000, pieces
    elif rule.kind == "per_amount":
        amount = amount_of(rule, counted, around)
        yield 0, amount - by_points(amount, around), worth
    else:
        yield 0, Decimal(1), worth or pieces


def _applied(
    rule: EarningRule, around: Circumstances, multipliers: Sequence[EarningRule]
) -> Mapping[str, Any]:
    """Return what multiplies the points of a rule, as its basis shows it."""
    if rule.kind == "bonus":
        return {}
    factors = [
        {"rule": each.name, "factor": number_text(each.factor or Decimal())}
        for each in multipliers
        if not each.of or rule.name in each.of
    ]
    return {**({"factors": factors} if factors else {}), **as_inputs(around.multiplied)}


def _formula(rule: EarningRule, applied: Mapping[str, Any]) -> str:
    """Return in words how the inputs make the points."""
    units = "units" if rule.every is None else "floor(units / every)"
    names = [units, "points", *(name for name in ("factors", "tiers") if name in applied)]
    whole = f"{rule.rounding}({' x '.join(names)})"
    mosts = ["sale_left"] if rule.sale_max is not None else []
    mosts += ["left of each limit"] if any(getattr(rule, name) for name in LIMITS) else []
    return f"min({', '.join([whole, *mosts])})" if mosts else whole


def number_text(number: Decimal) -> str:
    """Return a number as explanations have it, exactly, without needless zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
