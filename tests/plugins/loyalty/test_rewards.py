"""Rewards that points are exchanged for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from crmkit import IdempotencyMismatch, PluginError
from crmkit.testing import NOON
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.reward_errors import RewardNotAvailable
from crmkit_loyalty.rewarding import redeem_reward
from crmkit_loyalty.rewards import Reward

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

MUG = {"name": "mug", "title": "A mug", "kind": "goods", "points": 100, "sku": "MUG-1", "stock": 3}
OFF = {"name": "five_off", "title": "5 off", "kind": "coupon", "points": 250, "value": "5.00"}
TODAY = NOON.date()
REDEEM = """mutation ($input: RedeemRewardInput!) { redeemReward(input: $input) { __typename
    ... on RedeemPointsSuccess { redemption { points reward code value { amount } state } }
    ... on RewardNotAvailableProblem { code reward reason }
    ... on InsufficientPointsProblem { code available requested } } }"""


@pytest.fixture
def shop(till_factory: TillFactory) -> Till:
    """Give a shop with three mugs and any number of coupons."""
    till = till_factory(rewards=[MUG, OFF], lifetime_months=12)
    till.adjust("ann", 1_000)
    return till


def redeem(till: Till, who: str, reward: str, key: str) -> Any:
    caller, services = Caller("ann", till.crm.clock.now(), key), till.crm.registry.services
    return till.crm.write(
        lambda session: redeem_reward(
            session, till.ids[who], reward, caller, till.settings, services
        )
    )


def test_a_reward_costs_its_points_once(shop: Till) -> None:
    made = redeem(shop, "ann", "five_off", "k")

    assert (made.points, made.value_minor, made.reward, len(made.code)) == (
        250,
        5_00,
        "five_off",
        12,
    )
    assert redeem(shop, "ann", "five_off", "k").code == made.code
    assert redeem(shop, "ann", "five_off", "k2").code != made.code
    assert shop.balance("ann") == 500
    with pytest.raises(IdempotencyMismatch):
        redeem(shop, "ann", "mug", "k")
    assert shop.differences() == []


def test_no_more_than_the_stock_can_be_had_and_cancelling_puts_back(shop: Till) -> None:
    mugs = [redeem(shop, "ann", "mug", f"k{number}") for number in range(3)]
    assert mugs[0].code is None

    with pytest.raises(RewardNotAvailable, match="none left"):
        redeem(shop, "ann", "mug", "k3")
    assert shop.balance("ann") == 700
    shop.cancel(mugs[0])
    shop.cancel(mugs[0])
    redeem(shop, "ann", "mug", "k3")

    assert shop.balance("ann") == 700
    assert shop.differences() == []


def test_32_at_once_get_exactly_the_stock(shop: Till) -> None:
    shop.adjust("bob", 5_000)

    def one(number: int) -> bool:
        try:
            redeem(shop, "ann" if number % 2 else "bob", "mug", f"k{number}")
        except RewardNotAvailable:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(one, range(32))) == 3
    assert shop.differences() == []


def test_counts_of_rewards_are_made_again_from_redemptions(shop: Till) -> None:
    redeem(shop, "ann", "mug", "k")
    shop.crm.write(
        lambda session: session.connection().exec_driver_sql(
            "UPDATE loyalty_reward_stock SET taken = 2"
        )
    )

    (found,) = shop.differences()
    assert (found.table, found.stored, found.expected) == (
        "loyalty_reward_stock", {"taken": 2}, {"taken": 1},
    )  # fmt: skip
    shop.rebuild()
    assert shop.differences() == []


@pytest.mark.parametrize(
    ("window", "can"),
    [({"from_on": TODAY}, True), ({"until_on": TODAY}, True),
     ({"from_on": TODAY + timedelta(1)}, False), ({"until_on": TODAY - timedelta(1)}, False)],
)  # fmt: skip
def test_a_reward_can_be_had_in_its_window(
    till_factory: TillFactory, window: dict[str, Any], can: bool
) -> None:
    till = till_factory(rewards=[{**MUG, **window}])
    till.adjust("ann", 100)

    if can:
        redeem(till, "ann", "mug", "k")
        return
    with pytest.raises(RewardNotAvailable, match="not now"):
        redeem(till, "ann", "mug", "k")


def test_a_reward_that_costs_too_much_or_is_unknown_is_refused(shop: Till) -> None:
    with pytest.raises(InsufficientPoints):
        redeem(shop, "bob", "mug", "k")
    with pytest.raises(RewardNotAvailable, match="unknown"):
        redeem(shop, "ann", "yacht", "k")

    assert shop.differences() == []


def test_the_lowest_price_of_the_tiers_held_counts() -> None:
    prices = {"club": {"gold": 70, "silver": 90}, "card": {"nova": 60}}
    mug = Reward.model_validate({**MUG, "tier_points": prices})

    assert mug.price(None) == mug.price({"club": "basic"}) == 100
    assert mug.price({"club": "silver"}) == 90
    assert mug.price({"club": "gold", "card": "nova"}) == 60


def test_tiers_that_a_plugin_tells_lower_the_price(till_factory: TillFactory) -> None:
    class Tiers:
        def find(self, _name: str, _version: int) -> Any:
            return lambda _session, wanted: [{"club": "gold"} for _ in wanted]

    till = till_factory(rewards=[{**MUG, "tier_points": {"club": {"gold": 70}}}])
    till.adjust("ann", 70)
    caller = Caller("ann", till.crm.clock.now(), "k")

    made = till.crm.write(
        lambda session: redeem_reward(
            session,
            till.ids["ann"],
            "mug",
            caller,
            till.settings,
            Tiers(),  # type: ignore[arg-type]
        )
    )

    assert made.points == 70
    assert till.entries("ann")[-1].explanation == {
        "version": 1, "reward": "mug", "points": 70, "price": 100,
    }  # fmt: skip


def test_the_catalogue_and_its_coupons_through_the_api(shop: Till) -> None:
    ann = f"cus_{shop.ids['ann'].hex}"
    query = """query ($id: ID) { loyaltyRewards(customerId: $id) {
        name title kind points pointKind sku value { amount } left } }"""
    mug, off = shop.ask(query, id=ann)["loyaltyRewards"]
    assert mug == {
        "name": "mug", "title": "A mug", "kind": "GOODS", "points": 100, "pointKind": "points",
        "sku": "MUG-1", "value": None, "left": 3,
    }  # fmt: skip
    assert (off["kind"], off["value"], off["left"]) == ("COUPON", {"amount": "5.00"}, None)

    def run(reward: str, key: str) -> Any:
        values = {"customerId": ann, "reward": reward, "idempotencyKey": key}
        return shop.ask(REDEEM, "clerk", input=values)["redeemReward"]

    made = run("five_off", "k")["redemption"]
    assert (made["points"], made["reward"], made["state"]) == (250, "five_off", "REDEEMED")
    found = shop.ask(
        """query ($code: String!) { pointRedemptions(filter: { code: { eq: $code } }) {
            nodes { reward customer { id } } } }""",
        code=made["code"],
    )  # fmt: skip
    assert found["pointRedemptions"]["nodes"] == [{"reward": "five_off", "customer": {"id": ann}}]
    for number in range(3):
        run("mug", f"m{number}")
    assert run("mug", "m3") == {
        "__typename": "RewardNotAvailableProblem", "code": "REWARD_NOT_AVAILABLE", "reward": "mug",
        "reason": "none_left",
    }  # fmt: skip
    assert [each["name"] for each in shop.ask(query)["loyaltyRewards"]] == ["five_off"]


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ([MUG, MUG], "a reward's name stands twice"),
        ([{**MUG, "sku": None}], "kind 'goods' needs sku"),
        ([{**OFF, "sku": "x"}], "kind 'coupon' needs value, and has no sku"),
        ([{**MUG, "point_kind": "miles"}], "costs 'miles'; kinds: points"),
        ([{**MUG, "from_on": "2026-02-01", "until_on": "2026-01-01"}], "can never be had"),
    ],
)
def test_rewards_that_cannot_be_meant_stop_the_start(
    till_factory: TillFactory, rewards: Any, message: str
) -> None:
    with pytest.raises(PluginError, match=message):
        till_factory(rewards=rewards)
