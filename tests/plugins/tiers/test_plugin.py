import subprocess
import sys
from copy import deepcopy
from typing import Any, TypeAlias

import pytest

from crmkit import PluginError
from crmkit.testing import CrmFactory
from crmkit_schema.runtime import ComposedSchema
from tier_sets import CLUB

Shop: TypeAlias = Any
ShopFactory: TypeAlias = Any


def test_it_works_alone_with_core(shop: Shop) -> None:
    shop.sell("ann", "500", "2026-06-01")

    assert [loaded.name for loaded in shop.crm.registry.plugins] == ["core", "tiers"]
    assert shop.tier("ann") == "silver"


def test_without_it_nothing_of_it_is_left(crm_factory: CrmFactory) -> None:
    assert "ierChange" not in ComposedSchema(crm_factory()).sdl()


def test_loading_it_needs_no_graphql_library() -> None:
    code = "import sys, crmkit_tiers; print('strawberry' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout == "False\n"


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return `CLUB` with another value at a path; None takes the value out."""
    made: Any = deepcopy(CLUB)
    *way, last = path.split("/")
    at = made
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    if value is None:
        del at[last]
    else:
        at[int(last) if last.isdigit() else last] = value
    return made  # type: ignore[no-any-return]


SPEND = {"metric": "core.net_spend", "at_least": 1}
WRONG = [
    ("currency", "XXY", r"sets\.club\.currency"),
    ("tiers", [], r"sets\.club\.tiers"),
    ("tiers/0/name", "Member", r"sets\.club\.tiers\.0\.name"),
    ("tiers/1/name", "gold", "'?gold'?.* stands twice|name stands twice: .*gold"),
    ("tiers/0/entry", SPEND, "first tier, 'member', is for everybody"),
    ("tiers/1/entry", None, "tier 'silver' needs an entry condition"),
    ("tiers/1/stay/at_least", "501", "'silver': staying asks for 501 .* only for 500"),
    ("tiers/1/entry/metric", "core.net_spent", r"1\.entry\.metric: .*but 'core\.net_spend'"),
    ("tiers/1/stay", {"all": [SPEND, {"not": {**SPEND, "metric": "x"}}]},
     r"sets\.club\.tiers\.1\.stay\.all\.1\.not\.metric: there is no metric 'x', only core"),
    ("tiers/1/entry/window", "rolling", r"tiers\.1\.entry: .*days belong to a rolling window"),
    ("tiers/1/entry/days", 0, r"tiers\.1\.entry\.days"),
    ("tiers/1/entry/any", [SPEND], "one of metric, all, any and not"),
    ("tiers/1/entry", {"all": []}, "one of metric, all, any and not"),
    ("tiers/1/entry", {"metric": "core.net_spend"}, "metric and at_least belong together"),
    ("tiers/1/point_multiplier", "-1", "point_multiplier"),
    ("review_on", "12-31", "review_on belongs to review = 'fixed_date'"),
    ("review", "fixed_date", "review_on belongs to review = 'fixed_date'"),
    ("review_on", "02-29", "no such day in every year"),
    ("review_on", "1231", "write it as month and day"),
    ("grace_days", -1, "grace_days"),
    ("on_return", "sometimes", "on_return"),
    ("surprise", 1, "surprise"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "told"), WRONG, ids=[each[0] for each in WRONG])
def test_a_setting_that_makes_no_sense_stops_the_start(
    crm_factory: CrmFactory, path: str, value: Any, told: str
) -> None:
    with pytest.raises(PluginError, match=told) as stopped:
        crm_factory("tiers", plugin={"tiers": {"sets": {"club": changed(path, value)}}})

    assert stopped.value.plugin == "tiers"


@pytest.mark.parametrize(
    "policies",
    [
        {"upgrade": "at_period_end", "review": "at_once"},
        {"downgrade": "one_step", "review": "at_once"},
        {"downgrade": "one_step", "on_return": "at_once"},
    ],
    ids=str,
)
def test_policies_that_contradict_each_other_stop_the_start(
    crm_factory: CrmFactory, policies: dict[str, str]
) -> None:
    with pytest.raises(PluginError, match=r"needs (a review|reviews)"):
        crm_factory("tiers", plugin={"tiers": {"sets": {"club": {**CLUB, **policies}}}})
