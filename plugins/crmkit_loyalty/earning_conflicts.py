"""What makes earning rules impossible together; told at the start, with the rule's path. Pure."""

from collections.abc import Collection, Sequence

from crmkit import PluginError
from crmkit_loyalty.earning_kinds import HAPPENINGS
from crmkit_loyalty.earning_rules import EarningRule, in_order

_SETS = ("stores", "weekdays", "skus", "categories", "brands", "interaction_kinds", "segments")
_NOT_MULTIPLIED = frozenset({"multiplier", "bonus"}) | HAPPENINGS


def check_together(rules: Sequence[EarningRule]) -> None:
    """Refuse rules that cannot be told apart, name what is not there, or never have their turn.

    Raises:
        ValueError: the message begins with the path, such as `rules.2`.
    """
    places = {id(rule): f"rules.{place} ({rule.name})" for place, rule in enumerate(rules)}
    kinds = {rule.name: rule.kind for rule in rules}
    seen: set[str] = set()
    for rule in rules:
        path = places[id(rule)]
        if rule.name in seen:
            raise ValueError(f"{path}: the name stands twice")
        seen.add(rule.name)
        for name in sorted(rule.of):
            if kinds.get(name, "multiplier") in _NOT_MULTIPLIED:
                raise ValueError(f"{path}.of: there is no rule {name!r} that can be multiplied")
    of_sales = [rule for rule in rules if rule.kind not in HAPPENINGS]
    if of_sales and all(rule.kind == "multiplier" for rule in of_sales):
        raise ValueError("rules: there are multipliers only, and nothing that they multiply")
    ordered = in_order(rules)
    for place, later in enumerate(ordered):
        for first in ordered[:place]:
            if later.group is not None and first.group == later.group and covers(first, later):
                raise ValueError(
                    f"{places[id(later)]}: it can never match: whatever fits it fits "
                    f"{places[id(first)]} of group {later.group!r}, which comes first"
                )


def check_interaction_kinds(rules: Sequence[EarningRule], known: Collection[str]) -> None:
    """Refuse rules about kinds of interaction that no plugin registers.

    Raises:
        PluginError: the message names the path, such as `rules.2`.
    """
    for place, rule in enumerate(rules):
        for kind in sorted((rule.interaction_kinds or frozenset()) - set(known)):
            raise PluginError(
                "loyalty",
                f"rules.{place} ({rule.name}).interaction_kinds: nobody registers {kind!r}; "
                f"there are: {', '.join(sorted(known))}",
            )


def covers(wide: EarningRule, narrow: EarningRule) -> bool:
    """Tell whether whatever fits one rule fits another, by their filters alone."""
    if (wide.kind in HAPPENINGS or narrow.kind in HAPPENINGS) and wide.kind != narrow.kind:
        return False
    return (
        _window_covers(wide, narrow)
        and all(_set_covers(getattr(wide, each), getattr(narrow, each)) for each in _SETS)
        and all(
            name in narrow.tiers and narrow.tiers[name] <= some for name, some in wide.tiers.items()
        )
        and wide.currency in (None, narrow.currency)
        and wide.amount_min is None
        and wide.except_skus <= narrow.except_skus
        and wide.except_categories <= narrow.except_categories
        and wide.without_discounted <= narrow.without_discounted
        and wide.line_kinds >= narrow.line_kinds
    )


def _set_covers(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    return wide is None or (narrow is not None and narrow <= wide)


def _window_covers(wide: EarningRule, narrow: EarningRule) -> bool:
    begins = wide.from_on is None or (narrow.from_on is not None and wide.from_on <= narrow.from_on)
    ends = wide.until_on is None or (
        narrow.until_on is not None and narrow.until_on <= wide.until_on
    )
    return begins and ends
