"""Redeeming points, at once and by holding them first."""

from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed
from crmkit.testing import NOON
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.redeeming_errors import NotRedeemable, RedemptionEnded, RedemptionNotAllowed
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

TERMS = {"value": "0.01"}


@pytest.fixture
def shop(till_factory: TillFactory) -> Till:
    """Give a shop where a point pays a fen, and points are good for a year."""
    return till_factory(redemption=TERMS, lifetime_months=12)


def assert_sound(till: Till) -> None:
    assert till.differences() == []
    assert verify(till.crm).is_good
    before = {who: till.lots(who) for who in till.ids}
    till.crm.write(
        lambda session: session.connection().exec_driver_sql("DELETE FROM loyalty_allocation")
    )
    till.rebuild()
    assert {who: till.lots(who) for who in till.ids} == before


def _lose_allocations(session: Any) -> None:
    session.connection().exec_driver_sql("DELETE FROM loyalty_allocation")


def test_points_pay_what_the_terms_say_and_those_go_first_that_expire_first(shop: Till) -> None:
    shop.sell("ann", ("tea", "1", "300.00"), occurred_at=NOON)
    shop.sell("ann", ("tea", "1", "200.00"), occurred_at=NOON - timedelta(days=30))

    redeemed = shop.redeem("ann", 250)

    assert (redeemed.state, redeemed.points, redeemed.value_minor) == ("redeemed", 250, 250)
    assert [left for _, left, _ in shop.lots("ann")] == [250, 0]
    assert shop.deltas("ann")[-1] == ("redemption", -250)
    assert_sound(shop)


def test_more_points_than_there_are_cannot_be_redeemed(shop: Till) -> None:
    shop.adjust("ann", 100)

    with pytest.raises(InsufficientPoints) as refused:
        shop.redeem("ann", 101)

    assert (refused.value.available, refused.value.requested) == (100, 101)
    assert shop.balance("ann") == 100


def test_pending_points_cannot_be_redeemed(till_factory: TillFactory) -> None:
    till = till_factory(redemption=TERMS, holding_days=14)
    till.sell("ann", ("tea", "1", "300.00"), occurred_at=NOON)
    till.adjust("ann", 50)

    with pytest.raises(InsufficientPoints, match="has 50 points, 51 were to go"):
        till.redeem("ann", 51)
    till.redeem("ann", 50)

    assert till.account("ann") == (300, 0)
    till.crm.clock.advance(timedelta(days=14))
    till.redeem("ann", 300)
    assert till.account("ann") == (0, 0)
    assert_sound(till)


def test_expired_points_cannot_be_redeemed_whether_or_not_the_job_ran(shop: Till) -> None:
    shop.sell("ann", ("tea", "1", "300.00"), occurred_at=NOON)
    shop.crm.clock.advance(timedelta(days=365))
    shop.adjust("ann", 10)

    with pytest.raises(InsufficientPoints, match="has 10 points"):
        shop.redeem("ann", 11)


@pytest.mark.parametrize(
    ("total", "points", "most"),
    [
        (10_00, 99, 500), (10_00, 500, 500), (10_00, 501, 500), (10_00, 150, 500),
        (10_00, 125, 500), (1_00, 100, 0), (0, 100, 0), (4_99, 200, 200),
    ],
)  # fmt: skip
def test_a_redemption_keeps_to_minimum_step_and_share(
    till_factory: TillFactory, total: int, points: int, most: int
) -> None:
    terms = {**TERMS, "points_min": 100, "points_step": 50, "share_max": "0.5"}
    till = till_factory(redemption=terms)
    till.adjust("ann", 10_000)

    if 100 <= points <= most and points % 50 == 0:
        assert till.redeem("ann", points, total_minor=total).points == points
        return
    with pytest.raises(RedemptionNotAllowed) as refused:
        till.redeem("ann", points, total_minor=total)
    assert (refused.value.least, refused.value.most, refused.value.step) == (100, most, 50)


def test_the_same_key_and_request_redeem_once_and_another_request_is_refused(shop: Till) -> None:
    shop.adjust("ann", 100)
    first = shop.redeem("ann", 60, key="k")

    assert shop.redeem("ann", 60, key="k").id == first.id
    with pytest.raises(IdempotencyMismatch):
        shop.redeem("ann", 50, key="k")
    with pytest.raises(IdempotencyMismatch):
        shop.redeem("ann", 60, key="k", holds=True)

    assert shop.balance("ann") == 40


def test_what_a_kind_has_no_terms_for_cannot_be_redeemed(till_factory: TillFactory) -> None:
    till = till_factory()
    till.adjust("ann", 100)

    with pytest.raises(NotRedeemable):
        till.redeem("ann", 10)
    with pytest.raises(NotRedeemable):
        till.redeem("ann", 10, point_kind="miles")


@pytest.mark.parametrize("points", [0, -1, True, 1.5])
def test_a_number_of_points_is_a_whole_one_above_0(shop: Till, points: Any) -> None:
    with pytest.raises(ValidationFailed, match="at least 1 point"):
        shop.redeem("ann", points)


def test_held_points_cannot_be_spent_and_are_redeemed_later(shop: Till) -> None:
    shop.adjust("ann", 100)

    held = shop.redeem("ann", 70, holds=True)

    assert (held.state, held.held_until) == ("held", shop.crm.clock.now() + timedelta(minutes=30))
    assert shop.available("ann") == 30
    with pytest.raises(InsufficientPoints):
        shop.redeem("ann", 31)
    redeemed = shop.redeem_held(held, key="end")
    assert (redeemed.state, redeemed.points) == ("redeemed", 70)
    assert shop.redeem_held(held, key="end").entry_id == redeemed.entry_id
    assert shop.deltas("ann") == [
        ("adjustment", 100), ("hold", -70), ("release", 70), ("redemption", -70),
    ]  # fmt: skip
    assert_sound(shop)


def test_fewer_points_than_are_held_can_be_redeemed_and_the_others_come_back(shop: Till) -> None:
    shop.sell("ann", ("tea", "1", "50.00"), occurred_at=NOON - timedelta(days=30))
    shop.sell("ann", ("tea", "1", "50.00"), occurred_at=NOON)
    held = shop.redeem("ann", 70, holds=True)

    redeemed = shop.redeem_held(held, 55)

    assert (redeemed.points, redeemed.value_minor) == (55, 55)
    assert [left for _, left, _ in shop.lots("ann")] == [0, 45]
    assert_sound(shop)
    with pytest.raises(RedemptionEnded, match="redeemed already"):
        shop.redeem_held(held, 55)


def test_more_than_is_held_cannot_be_redeemed(shop: Till) -> None:
    shop.adjust("ann", 100)
    held = shop.redeem("ann", 70, holds=True)

    with pytest.raises(RedemptionNotAllowed):
        shop.redeem_held(held, 71)

    assert shop.available("ann") == 30


def test_released_points_go_back_to_their_lots(shop: Till) -> None:
    shop.sell("ann", ("tea", "1", "50.00"), occurred_at=NOON - timedelta(days=30))
    shop.sell("ann", ("tea", "1", "50.00"), occurred_at=NOON)
    held = shop.redeem("ann", 70, holds=True)

    assert shop.release(held, key="r").state == "released"
    assert shop.release(held, key="r").state == "released"

    assert [left for _, left, _ in shop.lots("ann")] == [50, 50]
    with pytest.raises(RedemptionEnded, match="released already"):
        shop.redeem_held(held)
    assert_sound(shop)


@pytest.mark.parametrize("by_job", [True, False])
def test_a_hold_ends_by_its_time_alone(shop: Till, by_job: bool) -> None:
    shop.adjust("ann", 100)
    held = shop.redeem("ann", 70, holds=True)
    shop.crm.clock.advance(timedelta(minutes=30))

    if by_job:
        assert shop.crm.run_job("loyalty.holds") == 1
        assert shop.crm.run_job("loyalty.holds") == 0
    with pytest.raises(RedemptionEnded, match="released"):
        shop.redeem_held(held)
    shop.redeem("ann", 100)

    assert shop.balance("ann") == 0
    assert_sound(shop)


def test_points_that_expire_while_they_are_held_can_still_be_redeemed(shop: Till) -> None:
    shop.sell("ann", ("tea", "1", "50.00"), occurred_at=NOON - timedelta(days=365, minutes=-10))
    held = shop.redeem("ann", 50, holds=True)
    shop.crm.clock.advance(timedelta(minutes=20))
    shop.crm.run_job("loyalty.expiry")

    shop.redeem_held(held, 40)

    assert shop.deltas("ann")[-2:] == [("redemption", -40), ("expiry", -10)]
    assert shop.account("ann") == (0, 0)
    assert_sound(shop)


def test_points_that_expired_while_they_were_held_lapse_when_they_are_released(shop: Till) -> None:
    shop.sell("ann", ("tea", "1", "50.00"), occurred_at=NOON - timedelta(days=365, minutes=-10))
    held = shop.redeem("ann", 20, holds=True)
    shop.crm.clock.advance(timedelta(minutes=20))
    shop.crm.run_job("loyalty.expiry")

    shop.release(held)

    assert [kind for kind, _ in shop.deltas("ann")] == [
        "accrual", "hold", "expiry", "release", "expiry",
    ]  # fmt: skip
    assert shop.account("ann") == (0, 0)
    assert_sound(shop)


def test_what_nobody_knows_cannot_be_redeemed(shop: Till) -> None:
    shop.adjust("ann", 100)
    held = shop.redeem("ann", 70, holds=True)
    held.id = type(held.id)(int=1)

    with pytest.raises(NotFound):
        shop.redeem_held(held)


def test_what_points_pay_earns_nothing_unless_the_terms_say_so(till_factory: TillFactory) -> None:
    till = till_factory(redemption={"value": "0.1"})
    till.adjust("ann", 100)
    till.redeem("ann", 100, "receipt-9")

    till.sell("ann", ("tea", "1", "50.00"), external_id="receipt-9")

    accrual = till.entries("ann")[-1]
    assert (accrual.points_delta, accrual.explanation["paid_by_points_minor"]) == (40, 10_00)


def test_held_points_count_as_paid(till_factory: TillFactory) -> None:
    rules = [{"name": "base", "kind": "per_amount", "points": 2}]
    till = till_factory(redemption={"value": "0.1"}, rules=rules)
    till.adjust("ann", 100)
    held = till.redeem("ann", 100, "receipt-9", holds=True)

    till.sell("ann", ("tea", "1", "50.00"), external_id="receipt-9")
    till.redeem_held(held)

    (accrual,) = (each for each in till.entries("ann") if each.kind == "accrual")
    assert (accrual.points_delta, accrual.explanation["paid_by_points"]) == (80, "10")


def test_a_cancelled_redemption_gives_back_what_has_not_come_back(shop: Till) -> None:
    shop.adjust("ann", 100)
    redeemed = shop.redeem("ann", 100, "r")
    shop.sell("ann", ("tea", "2", "5.00"), external_id="r")
    shop.take_back(None, "r", ("tea", "-1", "5.00"))
    before = shop.balance("ann")

    assert shop.cancel(redeemed).state == "cancelled"
    assert shop.cancel(redeemed).state == "cancelled"

    assert shop.balance("ann") == before + 50
    assert_sound(shop)


def test_what_is_held_or_released_cannot_be_cancelled(shop: Till) -> None:
    shop.adjust("ann", 100)
    held = shop.redeem("ann", 100, holds=True)

    with pytest.raises(RedemptionEnded, match="held"):
        shop.cancel(held)
    shop.release(held)
    with pytest.raises(RedemptionEnded, match="released"):
        shop.cancel(held)
