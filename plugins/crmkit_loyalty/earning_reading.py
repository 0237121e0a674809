"""Reading earning rules that were sent: as the settings are read, with every mistake told. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from crmkit.errors import shown
from crmkit_loyalty.earning_conflicts import check_interaction_kinds
from crmkit_loyalty.earning_errors import RuleFault, RuleMistake, WrongEarningRules
from crmkit_loyalty.earning_rules import RuleSet
from crmkit_loyalty.settings import LoyaltySettings

_OF_VALIDATORS = "Value error, "


def read_rules(
    given: Sequence[Any], settings: LoyaltySettings, interaction_kinds: Collection[str]
) -> RuleSet:
    """Return rules that would be fine as those of the settings.

    Args:
        given: objects with the fields of `EarningRule`.
        settings: the others, such as kinds of points.
        interaction_kinds: that are registered.

    Raises:
        WrongEarningRules: they would stop the start.
    """
    try:
        read = type(settings).model_validate({**settings.model_dump(), "rules": given})
        check_interaction_kinds(read.rules, interaction_kinds)
    except ValidationError as error:
        raise WrongEarningRules([_mistake(given, each) for each in error.errors()]) from None
    except RuleFault as fault:
        raise WrongEarningRules([_told(given, fault, fault.position)]) from None
    return read.rule_set


def _mistake(given: Sequence[Any], told: Mapping[str, Any]) -> RuleMistake:
    """Return a mistake that pydantic found, at a path such as `rules, 2, points`."""
    _, *path = told["loc"] or ("rules",)
    position = path[0] if path else None
    fault = told.get("ctx", {}).get("error")
    if isinstance(fault, RuleFault):
        return _told(given, fault, position if fault.position is None else fault.position)
    value = None if told["type"] == "missing" or not path else shown(told["input"])
    field = ".".join(map(str, path[1:]))
    message = told["msg"].removeprefix(_OF_VALIDATORS)
    return RuleMistake(position, _name_of(given, position), field, value, message)


def _told(given: Sequence[Any], fault: RuleFault, position: int | None) -> RuleMistake:
    value, rule = fault.value, None if position is None else given[position]
    if value is None and isinstance(rule, Mapping):
        value = rule.get(fault.field)
    name = _name_of(given, position)
    return RuleMistake(position, name, fault.field, shown(value), fault.reason)


def _name_of(given: Sequence[Any], position: int | None) -> str | None:
    rule = None if position is None else given[position]
    return shown(rule.get("name")) if isinstance(rule, Mapping) else None
