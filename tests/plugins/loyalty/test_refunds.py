"""Goods come back that earned points, or that points paid for: every case, with its sum by hand.

A sale of 100.00 (two teas at 30.00, a cup at 40.00) earned 100 points or none; 100 points, worth
10.00, paid for it or none. What comes back is all of it (share 1), one tea (0.3) or the cup (0.4),
in one refund, in two, or in one that is sent twice.
"""

from datetime import timedelta
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any, TypeAlias

import pytest

from crmkit.testing import NOON
from crmkit_loyalty.giving_back import refunded_share
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

TEA, CUP = ("tea", "2", "30.00"), ("cup", "1", "40.00")
ONE_TEA, THE_CUP, BOTH_TEAS = ("tea", "-1", "30.00"), ("cup", "-1", "40.00"), ("tea", "-2", "30.00")
GOODS = {
    "all": ([[BOTH_TEAS, THE_CUP]], [[ONE_TEA], [ONE_TEA, THE_CUP]], 1.0),
    "part of a quantity": ([[ONE_TEA]], [[("tea", "-0.5", "30.00")]] * 2, 0.3),
    "one line of several": ([[THE_CUP]], [[("cup", "-0.5", "40.00")]] * 2, 0.4),
}
EARNS = [{"name": "club", "kind": "per_amount", "points": 1, "stores": ["club"]}]


@pytest.fixture
def shop(till_factory: TillFactory) -> Till:
    """Give a shop whose points are good for 100 days, and pay 0.10 each."""
    terms = {"value": "0.1", "earns": True}
    return till_factory(rules=EARNS, lifetime_days=100, redemption=terms)


@pytest.fixture
def slow_shop(till_factory: TillFactory) -> Till:
    """Give a shop where points are pending for two weeks."""
    terms = {"value": "0.1", "earns": True}
    return till_factory(rules=EARNS, lifetime_days=100, redemption=terms, holding_days=14)


@pytest.fixture
def strict_shop(till_factory: TillFactory) -> Till:
    """Give a shop where points that come back too late are lost."""
    terms = {"value": "0.1", "earns": True, "refund_expired": "lost"}
    return till_factory(rules=EARNS, lifetime_days=100, redemption=terms)


def sell(till: Till, who: str, *, earns: bool, spends: bool) -> str:
    """Sell for 100.00 to somebody who had 100 points, if they pay, or none."""
    receipt = f"of {who}"
    if spends:
        till.adjust(who, 100)
        till.redeem(who, 100, receipt)
    till.sell(who, TEA, CUP, store="club" if earns else "kiosk", external_id=receipt,
              occurred_at=till.crm.clock.now())  # fmt: skip
    return receipt


def refund(till: Till, receipt: str, goods: str, how: str) -> None:
    at_once, in_two, _ = GOODS[goods]
    for items in in_two if how == "two refunds" else at_once:
        back = till.document(
            "return", None, items, original=receipt, occurred_at=till.crm.clock.now()
        )
        for _ in range(2 if how == "sent twice" else 1):
            till.record(back)


CASES = list(product(GOODS, [False, True], [False, True]))
HOW = pytest.mark.parametrize("how", ["one refund", "two refunds", "sent twice"])


def settle(till: Till, how: str, between: Any = None) -> dict[tuple[str, bool, bool], Any]:
    """Play every case with a customer of its own; returns balance and debt of each."""
    people = {case: f"c{number}" for number, case in enumerate(CASES)}
    till.enrol(*people.values())
    receipts = {
        case: sell(till, who, earns=case[1], spends=case[2]) for case, who in people.items()
    }
    if between is not None:
        between(people.values())
    for case, receipt in receipts.items():
        refund(till, receipt, case[0], how)
    assert till.differences() == []
    assert verify(till.crm).is_good
    return {case: till.account(who) for case, who in people.items()}


def due(case: tuple[str, bool, bool]) -> tuple[int, int, int]:
    """Return what was earned, what is taken back of it, and what is given back."""
    goods, earns, spends = case
    share = GOODS[goods][2]
    return 100 * earns, floor(100 * share) * earns, floor(100 * share) * spends


@HOW
def test_refunds_when_the_points_are_still_there(shop: Till, how: str) -> None:
    for case, account in settle(shop, how).items():
        earned, taken, given = due(case)
        assert account == (earned - taken + given, 0), case


@HOW
def test_refunds_when_the_points_are_already_spent(shop: Till, how: str) -> None:
    def spend(people: Any) -> None:
        for who in people:
            if shop.available(who):
                shop.redeem(who, shop.available(who))

    for case, account in settle(shop, how, spend).items():
        _, taken, given = due(case)
        assert account == (max(given - taken, 0), max(taken - given, 0)), case


@pytest.mark.parametrize("by_job", [True, False])
@HOW
def test_refunds_when_the_lots_have_expired(shop: Till, how: str, by_job: bool) -> None:
    def wait(_: Any) -> None:
        shop.crm.clock.advance(timedelta(days=101))
        if by_job:
            shop.crm.run_job("loyalty.expiry")

    found = settle(shop, how, wait)

    shop.crm.run_job("loyalty.expiry")
    for case in found:
        _, _, given = due(case)  # for 30 days; what was earned has expired and is not taken again
        who = f"c{CASES.index(case)}"
        assert shop.account(who) == (given, 0), case
    shop.crm.clock.advance(timedelta(days=30))
    shop.crm.run_job("loyalty.expiry")
    assert {shop.account(f"c{number}") for number in range(len(CASES))} == {(0, 0)}
    assert shop.differences() == []


@HOW
def test_refunds_when_the_lots_have_expired_and_points_are_lost(
    strict_shop: Till, how: str
) -> None:
    found = settle(strict_shop, how, lambda _: strict_shop.crm.clock.advance(timedelta(days=101)))

    strict_shop.crm.run_job("loyalty.expiry")
    for case in found:
        assert strict_shop.account(f"c{CASES.index(case)}") == (0, 0), case


@HOW
def test_refunds_when_the_lots_are_pending(slow_shop: Till, how: str) -> None:
    for case, account in settle(slow_shop, how).items():
        earned, taken, given = due(case)
        assert account == (earned - taken + given, 0), case
        assert slow_shop.available(f"c{CASES.index(case)}") == given, case


def test_points_come_back_to_the_lots_they_were_taken_from(shop: Till) -> None:
    shop.adjust("ann", 60)
    shop.crm.clock.advance(timedelta(days=10))
    shop.adjust("ann", 60)
    shop.redeem("ann", 100, "r")
    shop.sell("ann", TEA, CUP, external_id="r")

    shop.take_back(None, "r", THE_CUP)  # 40 of 100: the lot that expires last comes first
    assert [left for _, left, _ in shop.lots("ann")] == [0, 60]
    shop.take_back(None, "r", BOTH_TEAS)

    assert [left for _, left, _ in shop.lots("ann")] == [60, 60]
    assert shop.differences() == []


def test_a_void_of_the_sale_gives_everything_back(shop: Till) -> None:
    receipt = sell(shop, "ann", earns=True, spends=True)

    shop.void(receipt)

    assert shop.account("ann") == (100, 0)
    assert shop.deltas("ann")[-2:] == [("reversal", 100), ("reversal", -100)]


def test_a_void_of_the_return_takes_again_what_it_gave_back(shop: Till) -> None:
    receipt = sell(shop, "ann", earns=False, spends=True)
    back = shop.take_back(None, receipt, THE_CUP)
    assert shop.balance("ann") == 40

    shop.void(back)
    assert shop.balance("ann") == 0
    shop.take_back(None, receipt, BOTH_TEAS, THE_CUP)

    assert shop.account("ann") == (100, 0)
    assert shop.differences() == []
    assert verify(shop.crm).is_good


def test_a_return_and_its_void_and_another_return_of_one_batch_are_the_same(shop: Till) -> None:
    receipt = sell(shop, "ann", earns=False, spends=True)
    back = shop.document("return", None, [THE_CUP], original=receipt)
    void = shop.document("void", None, original=back.external_id)
    all_back = shop.document("return", None, [BOTH_TEAS, THE_CUP], original=receipt)

    shop.record(back, void, all_back)

    assert shop.account("ann") == (100, 0)
    assert shop.differences() == []


def test_what_was_given_back_and_spent_becomes_a_debt_when_the_return_is_voided(shop: Till) -> None:
    receipt = sell(shop, "ann", earns=False, spends=True)
    back = shop.take_back(None, receipt, THE_CUP)
    shop.redeem("ann", 40)

    shop.void(back)
    assert shop.account("ann") == (0, 40)
    shop.take_back(None, receipt, THE_CUP)

    assert shop.account("ann") == (0, 0)
    assert shop.differences() == []
    assert verify(shop.crm).is_good


@pytest.mark.parametrize(
    ("order", "first", "both"),
    # paid: 10.00 by points, 90.00 by money; 40.00 come back, then everything
    [("proportion", 40, 100), ("points_first", 100, 100), ("money_first", 0, 100)],
)
def test_the_order_of_a_mixed_refund_is_a_setting(
    till_factory: TillFactory, order: str, first: int, both: int
) -> None:
    terms = {"value": "0.1", "refund_order": order}
    till = till_factory(rules=EARNS, redemption=terms)
    receipt = sell(till, "ann", earns=False, spends=True)

    till.take_back(None, receipt, THE_CUP)
    assert till.balance("ann") == first
    till.take_back(None, receipt, BOTH_TEAS)
    assert till.balance("ann") == both


def test_money_first_gives_points_back_once_all_money_is_back() -> None:
    # 10.00 of 100.00 by points: at 95.00, all 90.00 of money and half of the points
    assert refunded_share("money_first", Fraction(95, 100), 10_00, 100_00) == Fraction(1, 2)
    assert refunded_share("points_first", Fraction(5, 100), 10_00, 100_00) == Fraction(1, 2)
    assert refunded_share("money_first", Fraction(1), 200_00, 100_00) == 1
    assert refunded_share("points_first", Fraction(1, 2), 0, 100_00) == Fraction(1, 2)


def test_a_redemption_that_is_made_after_the_sale_was_recorded_comes_back_too(shop: Till) -> None:
    shop.adjust("ann", 100)
    receipt = shop.sell("ann", TEA, CUP, store="kiosk")
    shop.redeem("ann", 100, receipt)

    shop.take_back(None, receipt, BOTH_TEAS, THE_CUP)

    assert shop.account("ann") == (100, 0)


def test_points_of_somebody_else_come_back_to_whoever_spent_them(shop: Till) -> None:
    shop.adjust("bob", 100)
    shop.redeem("bob", 100, "r")
    shop.sell("ann", TEA, CUP, store="club", external_id="r", occurred_at=NOON)

    shop.take_back(None, "r", BOTH_TEAS, THE_CUP)

    assert (shop.account("ann"), shop.account("bob")) == ((0, 0), (100, 0))
