"""Which earning rules fit a sale, and which of its lines count for them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import NamedTuple

from crmkit import RecordedLine
from crmkit.money import currency_digits
from crmkit_loyalty.earning_rules import WEEKDAYS, EarningRule
from crmkit_loyalty.multipliers import Multiplier


class Circumstances(NamedTuple):
    """What rules may ask about a sale besides its lines, or about what is no sale.

    Attributes:
        currency: of the sale; empty if it is none.
        tiers: the tier that the customer held just before, by tier set; None if nobody knows.
        segments: those that the customer was in just before; None if nobody knows.
        multiplied: what the tiers held multiply points by.
        paid_by_points: which part of the sale was paid by points that earn nothing.
    """

    business_on: date
    currency: str
    store: str | None = None
    tiers: Mapping[str, str] | None = None
    multiplied: Sequence[Multiplier] = ()
    segments: frozenset[str] | None = None
    paid_by_points: Fraction = Fraction()


Counted = tuple[EarningRule, Sequence[RecordedLine]]
"""A rule that fits a sale, and the lines that count for it."""


def counts(rule: EarningRule, line: RecordedLine) -> bool:
    """Tell whether a line counts for a rule."""
    return (
        line.original_position is None
        and line.kind in rule.line_kinds
        and (rule.skus is None or line.sku in rule.skus)
        and (rule.categories is None or line.category in rule.categories)
        and (rule.brands is None or line.brand in rule.brands)
        and line.sku not in rule.except_skus
        and line.category not in rule.except_categories
        and not (rule.without_discounted and line.discount_minor)
    )


def fits(rule: EarningRule, around: Circumstances) -> bool:
    """Tell whether a rule is about such a sale, whatever its lines; what nobody knows fits."""
    on = around.business_on
    return (
        (rule.from_on is None or rule.from_on <= on)
        and (rule.until_on is None or on <= rule.until_on)
        and (rule.weekdays is None or WEEKDAYS[on.weekday()] in rule.weekdays)
        and (rule.stores is None or around.store in rule.stores)
        and rule.currency in (None, around.currency)
        and (
            around.tiers is None
            or all(around.tiers.get(name) in some for name, some in rule.tiers.items())
        )
        and (
            rule.segments is None
            or around.segments is None
            or not rule.segments.isdisjoint(around.segments)
        )
    )


def chosen_rules(
    rules: Sequence[EarningRule], lines: Sequence[RecordedLine], around: Circumstances
) -> list[Counted]:
    """Return the rules that fit; of each group the first."""
    chosen: list[Counted] = []
    groups: set[str] = set()
    for rule in rules:
        if rule.group in groups or not fits(rule, around):
            continue
        counted = [line for line in lines if counts(rule, line)]
        if not any(line.quantity_milli > 0 for line in counted):
            continue
        if rule.amount_min is not None and amount_of(rule, counted, around) < rule.amount_min:
            continue
        chosen.append((rule, counted))
        if rule.group is not None:
            groups.add(rule.group)
    return chosen


def amount_of(rule: EarningRule, counted: Sequence[RecordedLine], around: Circumstances) -> Decimal:
    """Return what the lines that count for a rule cost, in major units."""
    minor = sum(minor_of(rule, line) for line in counted)
    return Decimal(minor).scaleb(-currency_digits(around.currency))


def minor_of(rule: EarningRule, line: RecordedLine) -> int:
    """Return what a line costs as a rule counts it, in minor units."""
    return line.amount_minor - (line.tax_minor if rule.without_tax else 0)


def by_points(amount: Decimal, around: Circumstances) -> Decimal:
    """Return what points paid of an amount, in major units; what is left earns."""
    digits = currency_digits(around.currency)
    minor = max(0, int(amount.scaleb(digits))) * around.paid_by_points
    return Decimal(floor(minor)).scaleb(-digits)
