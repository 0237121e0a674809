"""Decides tier changes again from nothing but what they say of themselves.

Shares no code with the plugin: it reads the JSON of a change's rules and explanation.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Data = Mapping[str, Any]


def recompute(rules: Data, told: Data) -> tuple[str, str] | None:
    """Return cause and tier that follow from an explanation; None if nothing changes."""
    names = [tier["name"] for tier in rules["tiers"]]
    figures = {(f["metric"], f["window"], f["days"]): Decimal(f["value"]) for f in told["figures"]}

    def met(condition: Data | None) -> bool:
        if condition is None:
            return True
        if "all" in condition:
            return all(map(met, condition["all"]))
        if "any" in condition:
            return any(map(met, condition["any"]))
        if "not" in condition:
            return not met(condition["not"])
        key = condition["metric"], condition.get("window", "lifetime"), condition.get("days")
        return figures[key] >= Decimal(condition["at_least"])

    fitting = max(n for n, tier in enumerate(rules["tiers"]) if met(tier.get("entry")))
    at_once = rules.get("upgrade", "at_once") == "at_once"
    before = told["before"]
    if before is None:
        return "joined", names[fitting if at_once else 0]
    held = names.index(before["tier"])
    as_of = date.fromisoformat(told["as_of_on"])
    takes_effect = as_of + timedelta(days=1) if told["ends_period"] else as_of
    lock = before["locked_until_on"]
    is_locked = lock is not None and takes_effect <= date.fromisoformat(lock)
    if is_locked and before["frozen_reason"]:
        return None
    if fitting > held and (at_once or told["ends_period"]):
        return "upgrade", names[fitting]
    if is_locked or not (told["is_review"] or before["at_risk_on"]):
        return None
    policy, by_hand = rules.get("downgrade", "fitting"), before["source"] == "manual"
    tier = rules["tiers"][held]
    if (
        fitting >= held
        or met(tier.get("stay", tier.get("entry")))
        or (policy == "none" and not by_hand)
    ):
        return "kept", before["tier"]
    if by_hand:
        return "assignment_ended", names[fitting]
    if before["at_risk_on"] is None and rules.get("grace_days", 0):
        return "at_risk", before["tier"]
    return "downgrade", names[max(fitting, held - 1) if policy == "one_step" else fitting]
