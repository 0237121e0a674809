"""What earning rules give for what is no sale: a sign-up, a birthday, an interaction. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from crmkit_loyalty.earning import VERSION, Cause, Earned, number_text
from crmkit_loyalty.earning_kinds import LIMITS
from crmkit_loyalty.earning_matching import Circumstances, fits
from crmkit_loyalty.earning_rules import EarningRule


class Happening(NamedTuple):
    """Something that happened to a customer, and is no sale.

    Attributes:
        kind: of the rules that are about it.
        line: tells apart what happens to the same customer again; of a birthday, the year.
        interaction_kind: of an interaction.
        sku: the article that an interaction is about.
    """

    kind: str
    cause: Cause
    line: int = 0
    interaction_kind: str | None = None
    sku: str | None = None


def is_about(rule: EarningRule, happening: Happening) -> bool:
    """Tell whether a rule is about such a thing, whoever it happened to and whenever."""
    return (
        rule.kind == happening.kind
        and (rule.interaction_kinds is None or happening.interaction_kind in rule.interaction_kinds)
        and (rule.skus is None or happening.sku in rule.skus)
        and happening.sku not in rule.except_skus
    )


def earn_by(
    rules: Sequence[EarningRule], happening: Happening, around: Circumstances
) -> Iterator[Earned]:
    """Give what rules give for something that happened, of each group the first that fits.

    Args:
        rules: in the order in which they are asked.
    """
    groups: set[str] = set()
    for rule in rules:
        if rule.group in groups or not is_about(rule, happening) or not fits(rule, around):
            continue
        if rule.group is not None:
            groups.add(rule.group)
        is_limited = any(getattr(rule, name) for name in LIMITS)
        basis = {
            "version": VERSION,
            "rule": rule.name,
            "kind": rule.kind,
            "formula": "min(points, left of each limit)" if is_limited else "points",
            "business_on": happening.cause.business_on.isoformat(),
            "unit": happening.interaction_kind or rule.kind,
            "units": "1",
            "points": number_text(rule.points or Decimal()),
            "rounding": rule.rounding,
        }
        yield Earned(rule, happening.line, int(rule.points or 0), basis)
