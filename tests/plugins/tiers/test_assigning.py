"""Tiers given by hand, through GraphQL and the service, on both databases."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeAlias

import pytest

Shop: TypeAlias = Any
Ask = Callable[..., Any]

ASSIGN = """
mutation ($input: AssignTierInput!) {
  assignTier(input: $input) {
    __typename
    ... on AssignTierSuccess {
      change { id cause fromTier toTier lockedUntilOn validUntilOn source reason actor }
    }
    ... on ValidationProblem { problems { field code } }
    ... on RefusedProblem { code }
  }
}
"""
STANDING = """
query ($id: ID!) {
  customer(id: $id) {
    tiers {
      memberships { tier frozenReason lockedUntilOn }
      cake: hasBenefit(name: "birthday_gift")
      free: hasBenefit(name: "free_delivery")
      none: hasBenefit(name: "helicopter")
      progress {
        tierSet tier nextTier reviewOn projectedTier
        toRise { path metric unit window days value target missing untilOn }
        toStay { missing untilOn }
      }
    }
  }
}
"""


def assign(ask: Ask, shop: Shop, tier: str, key: str = "k", **more: Any) -> Any:
    given = {
        "customerId": f"cus_{shop.ids['ann'].hex}", "tierSet": "club", "tier": tier,
        "untilOn": "2026-09-30", "reason": "a complaint", "idempotencyKey": key,
    }  # fmt: skip
    answer = ask(ASSIGN, input={**given, **more})
    assert not answer.errors, answer.errors
    return answer.data["assignTier"]


def standing(ask: Ask, shop: Shop, who: str) -> Any:
    answer = ask(STANDING, id=f"cus_{shop.ids[who].hex}")
    assert not answer.errors, answer.errors
    return answer.data["customer"]["tiers"]


def test_a_tier_is_given_once_per_key(shop: Shop, ask: Ask) -> None:
    first = assign(ask, shop, "gold")
    shop.crm.clock.advance(timedelta(days=400))

    assert assign(ask, shop, "gold") == first
    assert first["change"] == {
        "id": first["change"]["id"], "cause": "ASSIGNED", "fromTier": None, "toTier": "gold",
        "lockedUntilOn": "2026-09-30", "validUntilOn": "2026-09-30", "source": "MANUAL",
        "reason": "a complaint", "actor": "ann's terminal",
    }  # fmt: skip
    assert len(shop.history("ann")) == 1
    assert shop.differences() == []


def test_another_request_with_a_key_is_a_problem(shop: Shop, ask: Ask) -> None:
    assign(ask, shop, "gold")

    answer = assign(ask, shop, "silver")

    assert answer == {"__typename": "RefusedProblem", "code": "IDEMPOTENCY_MISMATCH"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tier": "platinum"}, ("tier", "UNKNOWN_VALUE")),
        ({"tierSet": "pub"}, ("tierSet", "UNKNOWN_VALUE")),
        ({"reason": " "}, ("reason", "REQUIRED")),
        ({"idempotencyKey": ""}, ("idempotencyKey", "REQUIRED")),
        ({"untilOn": "2026-06-14"}, ("untilOn", "OUT_OF_RANGE")),
    ],
    ids=str,
)
def test_bad_input_is_a_problem_with_its_field(
    shop: Shop, ask: Ask, change: dict[str, Any], problem: tuple[str, str]
) -> None:
    given = {"tier": "gold", **change}
    answer = assign(ask, shop, given.pop("tier"), **given)

    assert [(each["field"], each["code"]) for each in answer["problems"]] == [problem]
    assert shop.history("ann") == []


def test_an_id_that_is_no_customers_is_a_problem(shop: Shop, ask: Ask) -> None:
    for id_ in ("txn_" + "0" * 32, "cus_" + "0" * 32):
        answer = assign(ask, shop, "gold", customerId=id_)
        assert answer == {"__typename": "RefusedProblem", "code": "NOT_FOUND"}


def test_who_may_read_may_not_assign(shop: Shop, ask: Ask) -> None:
    answer = ask(ASSIGN, "tiers.read", "customers.read", input={
        "customerId": f"cus_{shop.ids['ann'].hex}", "tierSet": "club", "tier": "gold",
        "untilOn": "2026-09-30", "reason": "x", "idempotencyKey": "k",
    })  # fmt: skip

    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


def test_an_assigned_tier_lasts_to_its_day_and_then_fits_again(shop: Shop, ask: Ask) -> None:
    assign(ask, shop, "gold")

    shop.sell("ann", "600", "2026-07-01")
    assert shop.tier("ann") == "gold"
    shop.sell("ann", "1", "2026-10-01")

    assert shop.story("ann") == [
        ("assigned", "gold", "2026-06-15"),
        ("assignment_ended", "silver", "2026-10-01"),
    ]
    assert shop.held("ann").source == "rule"
    assert shop.held("ann").valid_until_on == date(2027, 9, 30)


def test_a_frozen_tier_stays_where_it_is(shop: Shop, ask: Ask) -> None:
    assign(ask, shop, "member", freezes=True)

    shop.sell("ann", "5000", "2026-07-01")
    assert standing(ask, shop, "ann")["memberships"] == [
        {"tier": "member", "frozenReason": "a complaint", "lockedUntilOn": "2026-09-30"}
    ]

    shop.sell("ann", "1", "2026-10-01")
    assert shop.tier("ann") == "gold"


def test_benefits_are_those_of_the_tier_held_now(shop: Shop, ask: Ask) -> None:
    shop.sell("ann", "600", "2026-06-01")

    def has(who: str) -> tuple[bool, ...]:
        told = standing(ask, shop, who)
        return told["cake"], told["free"], told["none"]

    assert has("ann") == (False, True, False)
    assert has("bob") == (False, False, False)
    assign(ask, shop, "gold")
    assert has("ann") == (True, True, False)


def test_progress_tells_what_is_missing_and_where_it_leads(shop: Shop, ask: Ask) -> None:
    shop.sell("ann", "600.50", "2026-06-01")

    (ann,) = standing(ask, shop, "ann")["progress"]
    (bob,) = standing(ask, shop, "bob")["progress"]

    assert ann == {
        "tierSet": "club", "tier": "silver", "nextTier": "gold", "reviewOn": "2027-05-31",
        "projectedTier": "silver", "toStay": [],
        "toRise": [
            {
                "path": "", "metric": "core.net_spend", "unit": "money", "window": "lifetime",
                "days": None, "value": "600.50", "target": "1000", "missing": "399.50",
                "untilOn": None,
            }
        ],
    }  # fmt: skip
    assert (bob["tier"], bob["toRise"][0]["missing"]) == ("member", "500")
