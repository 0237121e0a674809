from collections.abc import Callable
from typing import Any, TypeAlias

from crmkit_schema.runtime import ComposedSchema

Shop: TypeAlias = Any
Ask = Callable[..., Any]

TIERS = """
query ($id: ID!) {
  customer(id: $id) {
    tiers {
      memberships {
        tierSet tier sinceOn joinedOn validUntilOn atRiskUntilOn source benefits { name value }
      }
      history(first: 1) {
        totalCount
        nodes {
          id number cause fromTier toTier asOfOn explanation
          rules { version rules } customer { id }
        }
      }
    }
  }
}
"""


def test_it_adds_one_field_to_customers_one_mutation_and_one_subscription(shop: Shop) -> None:
    added = ComposedSchema(shop.crm).composition.contributed("tiers")

    assert {name for name in added if "." in name} == {
        "Customer.tiers",
        "Mutation.assignTier",
        "Subscription.tierChanged",
    }


def test_a_customer_has_memberships_and_a_history(shop: Shop, ask: Ask) -> None:
    shop.sell("ann", "600", "2026-06-01")
    shop.sell("ann", "400", "2026-06-02")
    who = f"cus_{shop.ids['ann'].hex}"

    answer = ask(TIERS, id=who)

    assert not answer.errors
    tiers = answer.data["customer"]["tiers"]
    assert tiers["memberships"] == [
        {
            "tierSet": "club", "tier": "gold", "sinceOn": "2026-06-02", "joinedOn": "2026-06-01",
            "validUntilOn": "2027-06-01", "atRiskUntilOn": None, "source": "RULE",
            "benefits": [
                {"name": "point_multiplier", "value": "2"},
                {"name": "free_delivery", "value": True},
                {"name": "birthday_gift", "value": "cake"},
                {"name": "discount_percent", "value": "5"},
            ],
        }
    ]  # fmt: skip
    assert tiers["history"]["totalCount"] == 2
    (last,) = tiers["history"]["nodes"]
    assert (last["number"], last["cause"], last["fromTier"]) == (2, "UPGRADE", "silver")
    assert last["explanation"]["figures"][0]["value"] == "1000.00"
    assert last["rules"]["version"] == shop.settings.sets["club"].version
    assert [tier["name"] for tier in last["rules"]["rules"]["tiers"]] == [
        "member",
        "silver",
        "gold",
    ]
    assert last["customer"] == {"id": who}


def test_who_never_bought_has_no_membership_and_no_history(shop: Shop, ask: Ask) -> None:
    answer = ask(TIERS, id=f"cus_{shop.ids['bob'].hex}")

    tiers = answer.data["customer"]["tiers"]
    assert (tiers["memberships"], tiers["history"]["nodes"]) == ([], [])


def test_tiers_are_hidden_from_who_may_only_see_customers(shop: Shop, ask: Ask) -> None:
    answer = ask(TIERS, "customers.read", id=f"cus_{shop.ids['ann'].hex}")

    assert answer.data["customer"]["tiers"] is None
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


def test_a_change_can_be_fetched_by_its_id(shop: Shop, ask: Ask) -> None:
    shop.sell("ann", "600", "2026-06-01")
    found = ask(TIERS, id=f"cus_{shop.ids['ann'].hex}").data["customer"]["tiers"]["history"]

    answer = ask(
        "query ($id: ID!) { node(id: $id) { ... on TierChange { toTier } } }",
        id=found["nodes"][0]["id"],
    )

    assert answer.data["node"] == {"toTier": "silver"}
