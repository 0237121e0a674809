"""Rules that make no sense stop the start, and the message says where they stand."""

import os
import subprocess
import sys
from typing import Any

import pytest

from crmkit import PluginError
from crmkit.testing import CrmFactory
from crmkit_loyalty.settings import LoyaltySettings

BASE: dict[str, Any] = {"name": "base", "kind": "per_amount", "points": 1}
BONUS: dict[str, Any] = {"name": "gift", "kind": "bonus", "points": 5}
TWICE: dict[str, Any] = {"name": "twice", "kind": "multiplier", "factor": 2}

REFUSED = [
    pytest.param([{**BASE, "name": "Base!"}], "rules.0.name", id="a name for nobody's database"),
    pytest.param([{**BASE, "points": 0}], "rules.0.points", id="nothing to give"),
    pytest.param([{**BASE, "factor": 2}], "rules.0", id="points and a factor"),
    pytest.param([{**TWICE, "points": 2}, BASE], "rules.0", id="a multiplier with points"),
    pytest.param([{**BONUS, "every": 2}], "rules.0.*every", id="every where nothing is counted"),
    pytest.param([{**BASE, "of": ["base"]}], "rules.0.*of", id="of where nothing is multiplied"),
    pytest.param([BASE, {**TWICE, "skus": ["tea"]}], "rules.1.*skus", id="a multiplier of goods"),
    pytest.param([BASE, {**TWICE, "budget": 9}], "rules.1.*budget", id="a multiplier's budget"),
    pytest.param([{**BASE, "stores": []}], "rules.0.stores", id="no store at all"),
    pytest.param([{**BASE, "currency": "XYZ"}], "rules.0.currency", id="no such currency"),
    pytest.param([{**BASE, "weekdays": ["mo"]}], "rules.0.weekdays", id="no such weekday"),
    pytest.param([{**BASE, "mile": 1}], "rules.0.mile", id="no such field"),
    pytest.param(
        [{**BASE, "from_on": "2026-02-01", "until_on": "2026-01-31"}],
        "rules.0.*never match",
        id="a window that ends before it begins",
    ),
    pytest.param(
        [{**BASE, "from_on": "2026-06-01", "until_on": "2026-06-05", "weekdays": ["sunday"]}],
        "rules.0.*never match",
        id="a window without its weekday",
    ),
    pytest.param(
        [{**BASE, "skus": ["tea"], "except_skus": ["tea", "cup"]}],
        "rules.0.*never match",
        id="goods that are excluded again",
    ),
    pytest.param([BASE, BONUS, BASE], r"rules.2 \(base\).*twice", id="a name that stands twice"),
    pytest.param(
        [BASE, {**TWICE, "of": ["other"]}], r"rules.1 \(twice\).of", id="nothing it multiplies"
    ),
    pytest.param(
        [BASE, BONUS, {**TWICE, "of": ["gift"]}], r"rules.2 \(twice\).of", id="a bonus multiplied"
    ),
    pytest.param([TWICE], "multipliers only", id="multipliers and nothing else"),
    pytest.param(
        [{**BASE, "group": "g"}, {**BONUS, "group": "g", "stores": ["north"]}],
        r"rules.1 \(gift\).group: it can never match.*rules.0 \(base\)",
        id="always behind another of its group",
    ),
    pytest.param(
        [{**BASE, "group": "g"}, {**BONUS, "group": "g", "priority": 1}],
        r"rules.0 \(base\).group: it can never match.*rules.1 \(gift\)",
        id="behind another by priority",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "told"), REFUSED)
def test_a_rule_that_makes_no_sense_is_refused_with_its_path(
    rules: list[dict[str, Any]], told: str
) -> None:
    with pytest.raises(ValueError, match=f"(?s){told}"):
        LoyaltySettings.model_validate({"rules": rules})


def test_such_a_rule_stops_the_start(crm_factory: CrmFactory) -> None:
    with pytest.raises(PluginError, match=r"rules.1 \(base\).name: the name stands twice"):
        crm_factory("loyalty", plugin={"loyalty": {"rules": [BASE, BASE]}})


@pytest.mark.parametrize(
    "rules",
    [
        [{**BASE, "group": "g", "amount_min": 10}, {**BONUS, "group": "g"}],
        [{**BASE, "group": "g", "stores": ["north"]}, {**BONUS, "group": "g"}],
        [{**BASE, "group": "g", "until_on": "2026-01-31"}, {**BONUS, "group": "g"}],
        [{**BASE, "group": "g", "tiers": {"club": ["gold"]}}, {**BONUS, "group": "g"}],
        [{**BASE, "group": "g"}, {**BONUS, "group": "h"}],
    ],
)
def test_rules_that_can_have_their_turn_are_taken(rules: list[dict[str, Any]]) -> None:
    assert [rule.name for rule in LoyaltySettings.model_validate({"rules": rules}).rules] == [
        "base",
        "gift",
    ]


def test_other_rules_have_another_version() -> None:
    versions = {
        LoyaltySettings.model_validate({"rules": rules}).rule_set.version
        for rules in ([BASE], [{**BASE, "points": 2}], [BASE, BONUS], [BONUS, BASE])
    }

    assert len(versions) == 4


def test_the_same_rules_have_the_same_version_in_every_process() -> None:
    code = (
        "from crmkit_loyalty.settings import LoyaltySettings\n"
        "skus = [f'sku{n}' for n in range(50)]\n"
        "rules = [{'name': 'a', 'kind': 'per_amount', 'points': 1, 'skus': skus,"
        " 'weekdays': ['monday', 'friday', 'sunday']}]\n"
        "print(LoyaltySettings(rules=rules).rule_set.version)"
    )

    told = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in "123"
    }  # fmt: skip

    assert len(told) == 1
