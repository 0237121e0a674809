"""Kinds of earning rules, and which fields belong to each. Pure."""

from collections.abc import Collection
from typing import Literal

from crmkit_loyalty.earning_errors import RuleFault

Kind = Literal[
    "per_amount", "per_visit", "per_line", "per_quantity", "bonus", "multiplier",
    "sign_up", "birthday", "interaction",
]  # fmt: skip
HAPPENINGS = frozenset({"sign_up", "birthday", "interaction"})
"""Kinds that give points for what is not a sale."""

LIMITS = ("customer_day_max", "customer_month_max", "customer_year_max", "budget")
_OF_LINES = (
    "skus", "categories", "brands", "except_skus", "except_categories", "without_discounted",
    "without_tax",
)  # fmt: skip
_OF_HAPPENINGS = frozenset({
    "name", "kind", "points", "point_kind", "from_on", "until_on", "weekdays", "tiers", "segments",
    "priority", "group", *LIMITS,
})  # fmt: skip
_OF_INTERACTIONS = frozenset({"interaction_kinds", "skus", "except_skus"})


def check_fields(kind: Kind, given: Collection[str]) -> None:
    """Refuse fields that have no meaning in a rule of some kind, and require what it needs.

    Args:
        given: fields whose value is not the one they have when they are left out.

    Raises:
        RuleFault: it names the field.
    """
    wanted, other = ("factor", "points") if kind == "multiplier" else ("points", "factor")
    if wanted not in given or other in given:
        field = other if other in given else wanted
        raise RuleFault(f"kind {kind!r} needs {wanted}, and has no {other}", field)
    if kind in HAPPENINGS:
        _check_happening(kind, given)
    elif "interaction_kinds" in given:
        reason = f"interaction_kinds belong to interaction, not to {kind!r}"
        raise RuleFault(reason, "interaction_kinds")
    if "of" in given and kind != "multiplier":
        raise RuleFault("of belongs to a multiplier, and to no other kind", "of")
    if "every" in given and kind not in ("per_amount", "per_quantity"):
        reason = f"every belongs to per_amount and per_quantity, not to {kind!r}"
        raise RuleFault(reason, "every")
    if kind == "multiplier":
        if "point_kind" in given:
            reason = "a multiplier has no point_kind: `of` names the rules it multiplies"
            raise RuleFault(reason, "point_kind")
        for field in (*_OF_LINES, "sale_max", *LIMITS):
            if field in given:
                raise RuleFault(
                    f"a multiplier has no {field}: it multiplies what other rules give for the "
                    "whole sale; for single goods write a further rule that gives more",
                    field,
                )


def _check_happening(kind: Kind, given: Collection[str]) -> None:
    if kind == "interaction" and "interaction_kinds" not in given:
        reason = "kind 'interaction' needs interaction_kinds, such as review"
        raise RuleFault(reason, "interaction_kinds")
    allowed = _OF_HAPPENINGS | _OF_INTERACTIONS if kind == "interaction" else _OF_HAPPENINGS
    for field in sorted(set(given) - allowed):
        raise RuleFault(f"kind {kind!r} has no {field}: it is about no sale", field)
