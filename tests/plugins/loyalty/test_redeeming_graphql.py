"""Redemption through the API."""

from datetime import timedelta
from typing import Any, TypeAlias

import pytest

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

REDEMPTION = """redemption { id state pointKind points value { amount currency } source externalId
    actor customer { id } }"""
NOT_ALLOWED = "... on RedemptionNotAllowedProblem { code requested least most step }"
ENDED = "... on RedemptionEndedProblem { code state }"
SHORT = "... on InsufficientPointsProblem { code available requested }"
PAYS_NOTHING = "... on NotRedeemableProblem { code pointKind }"
PROBLEMS = {
    "redeemPoints": [NOT_ALLOWED, SHORT, PAYS_NOTHING],
    "holdPoints": [NOT_ALLOWED, SHORT, PAYS_NOTHING],
    "redeemHeldPoints": [NOT_ALLOWED, ENDED, PAYS_NOTHING],
    "releasePoints": [ENDED],
    "cancelRedemption": [ENDED],
}
PREVIEW = """query ($id: ID!, $kind: String! = "points", $total: Amount) {
  redemptionPreview(customerId: $id, pointKind: $kind, total: $total) {
    available pointsMin pointsMax pointsStep valueMax { amount currency } } }"""


@pytest.fixture
def shop(till_factory: TillFactory) -> Till:
    """Give a shop where points pay 0.01 each, 100 at least, up to half of a purchase."""
    terms = {"value": "0.01", "points_min": 100, "points_step": 10, "share_max": "0.5"}
    till = till_factory(redemption=terms, point_kinds={"miles": {}})
    till.adjust("ann", 1_005)
    return till


def ann(till: Till) -> str:
    return f"cus_{till.ids['ann'].hex}"


def run(till: Till, name: str, kind: str, **values: Any) -> Any:
    query = f"""mutation ($input: {kind}!) {{ {name}(input: $input) {{ __typename
        ... on RedeemPointsSuccess {{ {REDEMPTION} }} {" ".join(PROBLEMS[name])}
        ... on ValidationProblem {{ problems {{ field code }} }}
        ... on RefusedProblem {{ code }} }} }}"""
    return till.ask(query, "clerk", input=values)[name]


def redeem(till: Till, points: int, **more: Any) -> Any:
    values = {"customerId": ann(till), "points": points, "idempotencyKey": f"k{points}", **more}
    return run(till, "redeemPoints", "RedeemPointsInput", **values)


def test_a_preview_says_what_a_redemption_accepts(shop: Till) -> None:
    preview = shop.ask(PREVIEW, id=ann(shop), total="12.34")["redemptionPreview"]

    assert preview == {
        "available": 1_005, "pointsMin": 100, "pointsMax": 610, "pointsStep": 10,
        "valueMax": {"amount": "6.10", "currency": "CNY"},
    }  # fmt: skip
    assert "redemption" in redeem(shop, 610, total="12.34")
    assert shop.ask(PREVIEW, id=ann(shop))["redemptionPreview"]["pointsMax"] == 390
    assert shop.entries("ann")[-1].points_delta == -610


def test_points_are_redeemed_for_a_receipt(shop: Till) -> None:
    answer = redeem(shop, 250, receipt={"source": "till", "externalId": "r-1"})

    made = answer["redemption"]
    assert made.pop("id").startswith("red_")
    assert made == {
        "state": "REDEEMED", "pointKind": "points", "points": 250,
        "value": {"amount": "2.50", "currency": "CNY"}, "source": "till", "externalId": "r-1",
        "actor": "test", "customer": {"id": ann(shop)},
    }  # fmt: skip
    again = redeem(shop, 250, receipt={"source": "till", "externalId": "r-1"})
    assert again["redemption"]["points"] == 250
    assert shop.balance("ann") == 755


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"points": 1010}, {"code": "INSUFFICIENT_POINTS", "available": 1005, "requested": 1010}),
        (
            {"points": 300, "total": "4.00"},
            {"code": "REDEMPTION_NOT_ALLOWED", "requested": 300, "least": 100, "most": 200,
             "step": 10},
        ),
        ({"points": 100, "pointKind": "miles"}, {"code": "NOT_REDEEMABLE", "pointKind": "miles"}),
        ({"points": 100, "pointKind": "nothing"}, {"code": "NOT_REDEEMABLE"}),
        ({"points": 100, "total": "1.234"}, {"code": "INVALID_AMOUNT"}),
        ({"points": 100, "total": "-1"}, {"code": "OUT_OF_RANGE"}),
        ({"points": -5}, {"code": "OUT_OF_RANGE"}),
        ({"points": 100, "receipt": {"source": "", "externalId": "r"}}, {"code": "REQUIRED"}),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong_and_moves_nothing(
    shop: Till, values: Any, problem: Any
) -> None:
    answer = redeem(shop, **values)

    (found,) = answer.get("problems", [answer])
    assert found.items() >= problem.items()
    assert shop.balance("ann") == 1_005


def test_holds_end_through_the_api(shop: Till) -> None:
    values = {"customerId": ann(shop), "points": 500, "idempotencyKey": "h"}
    held = run(shop, "holdPoints", "RedeemPointsInput", **values)["redemption"]
    assert held["state"] == "HELD"

    ending = {"redemptionId": held["id"], "idempotencyKey": "e"}
    some = run(shop, "redeemHeldPoints", "RedeemHeldPointsInput", points=300, **ending)
    assert (some["redemption"]["state"], some["redemption"]["points"]) == ("REDEEMED", 300)
    problem = run(shop, "releasePoints", "ReleasePointsInput", **{**ending, "idempotencyKey": "x"})
    assert (problem["code"], problem["state"]) == ("REDEMPTION_ENDED", "REDEEMED")
    back = run(shop, "cancelRedemption", "CancelRedemptionInput", redemptionId=held["id"],
               reason="no sale")  # fmt: skip
    assert back["redemption"]["state"] == "CANCELLED"
    assert shop.balance("ann") == 1_005


def test_an_account_says_what_is_available_and_what_was_redeemed(shop: Till) -> None:
    values = {"customerId": ann(shop), "points": 500, "idempotencyKey": "h"}
    run(shop, "holdPoints", "RedeemPointsInput", **values)
    query = """query ($id: ID!) { customer(id: $id) { loyalty { balance available
        accounts { pointKind available } redemptions { nodes { state points } } } } }"""

    def loyalty() -> Any:
        return shop.ask(query, id=ann(shop))["customer"]["loyalty"]

    assert loyalty() == {
        "balance": 505, "available": 505,
        "accounts": [
            {"pointKind": "miles", "available": 0}, {"pointKind": "points", "available": 505},
        ],
        "redemptions": {"nodes": [{"state": "HELD", "points": 500}]},
    }  # fmt: skip
    shop.crm.clock.advance(timedelta(minutes=30))
    assert (loyalty()["balance"], loyalty()["available"]) == (505, 1_005)  # its time is over


def test_an_unknown_hold_is_not_found(shop: Till) -> None:
    values = {"redemptionId": f"red_{1:032x}", "idempotencyKey": "e"}

    assert run(shop, "releasePoints", "ReleasePointsInput", **values)["code"] == "NOT_FOUND"
