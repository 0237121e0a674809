import subprocess
import sys
from typing import Any, TypeAlias

import pytest

from crmkit import PluginError
from crmkit.testing import CrmFactory
from crmkit_schema.runtime import ComposedSchema

Till: TypeAlias = Any


def test_it_works_alone_with_core(till: Till) -> None:
    till.sell("ann", ("tea", "1", "10.00"))

    assert [loaded.name for loaded in till.crm.registry.plugins] == ["core", "loyalty"]
    assert till.balance("ann") == 10


def test_without_it_nothing_of_it_is_left(crm_factory: CrmFactory) -> None:
    assert "oyalty" not in ComposedSchema(crm_factory()).sdl()


def test_what_it_adds_to_the_schema_is_listed(till: Till) -> None:
    added = ComposedSchema(till.crm).composition.contributed("loyalty")

    assert {name for name in added if "." in name} == {
        "Customer.loyalty",
        "Mutation.adjustPoints",
        "Mutation.approveAdjustment",
        "Mutation.blockPoints",
        "Mutation.cancelRedemption",
        "Mutation.holdPoints",
        "Mutation.mergePoints",
        "Mutation.redeemHeldPoints",
        "Mutation.redeemPoints",
        "Mutation.redeemReward",
        "Mutation.rejectAdjustment",
        "Mutation.releasePoints",
        "Mutation.setEarningRules",
        "Mutation.transferPoints",
        "Mutation.unblockPoints",
        "Mutation.unmergePoints",
        "Query.earningRules",
        "Query.earningRulesVersions",
        "Query.loyaltyLiability",
        "Query.loyaltyRewards",
        "Query.pointRedemptions",
        "Query.pointsPreview",
        "Query.proposedAdjustments",
        "Query.redemptionPreview",
        "Subscription.pointsMoved",
    }


@pytest.mark.parametrize(
    "option",
    [
        {"points_per_major_unit": "-1"},
        {"points_per_major_unit": "NaN"},
        {"points_per_major_unit_of": {"XYZ": "1"}},
        {"lifetime_months": 0},
        {"lifetime_days": 0},
        {"lifetime_days": 10, "last_day": "2027-12-31"},
        {"lifetime_ends_with": "year"},
        {"lifetime_restarts": True},
        {"timezone": "Mars"},
        {"shortfall": "ignore"},
        {"adjustment_points_max": 0},
        {"adjustment_approval_above": -1},
        {"adjustment_reasons": []},
        {"adjustment_reasons": ["Good will"]},
        {"transfers": {"points_max": 0}},
        {"points_per_mile": 1},
    ],
    ids=lambda option: next(iter(option)),
)
def test_a_setting_that_makes_no_sense_stops_the_start(
    crm_factory: CrmFactory, option: dict[str, Any]
) -> None:
    with pytest.raises(PluginError, match=next(iter(option))):
        crm_factory("loyalty", plugin={"loyalty": option})


def test_loading_it_needs_no_graphql_library() -> None:
    code = "import sys, crmkit_loyalty; print('strawberry' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout == "False\n"
