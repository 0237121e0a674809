"""What makes earning rules impossible together; told at the start, with the rule's path. Pure."""

from collections.abc import Collection, Sequence

from crmkit import PluginError
from crmkit_loyalty.earning_errors import RuleFault
from crmkit_loyalty.earning_kinds import HAPPENINGS
from crmkit_loyalty.earning_rules import EarningRule, in_order

_SETS = ("stores", "weekdays", "skus", "categories", "brands", "interaction_kinds", "segments")
_NOT_MULTIPLIED = frozenset({"multiplier", "bonus"}) | HAPPENINGS


def check_together(rules: Sequence[EarningRule]) -> None:
    """Refuse rules that cannot be told apart, name what is not there, or never have their turn.

    Raises:
        RuleFault: it names the rule and its position.
    """
    kinds = {rule.name: rule.kind for rule in rules}
    seen: set[str] = set()
    for at, rule in enumerate(rules):
        if rule.name in seen:
            raise RuleFault("the name stands twice", "name", rule.name, at, rule.name)
        seen.add(rule.name)
        for name in sorted(rule.of):
            if kinds.get(name, "multiplier") in _NOT_MULTIPLIED:
                reason = f"there is no rule {name!r} that can be multiplied"
                raise RuleFault(reason, "of", name, at, rule.name)
    of_sales = [at for at, rule in enumerate(rules) if rule.kind not in HAPPENINGS]
    if of_sales and all(rules[at].kind == "multiplier" for at in of_sales):
        reason = "there are multipliers only, and nothing that they multiply"
        raise RuleFault(reason, "kind", "multiplier", of_sales[0], rules[of_sales[0]].name)
    _check_groups(rules)


def _check_groups(rules: Sequence[EarningRule]) -> None:
    places = {id(rule): at for at, rule in enumerate(rules)}
    ordered = in_order(rules)
    for place, later in enumerate(ordered):
        for first in ordered[:place]:
            if later.group is not None and first.group == later.group and covers(first, later):
                reason = (
                    f"it can never match: whatever fits it fits "
                    f"rules.{places[id(first)]} ({first.name}) of the group, which comes first"
                )
                raise RuleFault(reason, "group", later.group, places[id(later)], later.name)


def check_interaction_kinds(rules: Sequence[EarningRule], known: Collection[str]) -> None:
    """Refuse rules about kinds of interaction that no plugin registers.

    Raises:
        RuleFault: it names the rule and its position.
    """
    for at, rule in enumerate(rules):
        for kind in sorted((rule.interaction_kinds or frozenset()) - set(known)):
            reason = f"nobody registers {kind!r}; there are: {', '.join(sorted(known))}"
            raise RuleFault(reason, "interaction_kinds", kind, at, rule.name)


def require_interaction_kinds(rules: Sequence[EarningRule], known: Collection[str]) -> None:
    """Stop the start if a rule of the settings is about interactions that nobody registers.

    Raises:
        PluginError: it names the setting.
    """
    try:
        check_interaction_kinds(rules, known)
    except RuleFault as fault:
        raise PluginError("loyalty", f"setting plugin.loyalty.{fault}") from None


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
