"""Several kinds of points, and points that cannot be spent at once."""

from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from crmkit import PluginError, ValidationFailed
from crmkit.testing import NOON
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

BASE = {"name": "base", "kind": "per_amount", "points": 1}
STAMP = {"name": "stamp", "kind": "per_quantity", "points": 1, "point_kind": "stamps"}


@pytest.fixture
def cafe(till_factory: TillFactory) -> Till:
    """Give a shop that gives points for money, and stamps for cups, which are good for 90 days."""
    stamps = {"lifetime_days": 90, "shortfall": "forgive"}
    return till_factory(rules=[BASE, STAMP], lifetime_months=24, point_kinds={"stamps": stamps})


def accounts(till: Till, who: str) -> dict[str, int]:
    """Return what a customer has of each kind, by the entries."""
    found: dict[str, int] = {}
    for entry in till.entries(who):
        found[entry.point_kind] = found.get(entry.point_kind, 0) + entry.points_delta
    return found


def assert_sound(till: Till) -> None:
    assert till.differences() == []
    assert verify(till.crm).is_good


def test_a_sale_gives_each_kind_by_its_own_rule(cafe: Till) -> None:
    cafe.sell("ann", ("espresso", "3", "4.50"))

    assert accounts(cafe, "ann") == {"points": 13, "stamps": 3}
    assert [entry.balance_after for entry in cafe.entries("ann")] == [13, 3]
    assert_sound(cafe)


def test_each_kind_expires_by_its_own_lifetime(cafe: Till) -> None:
    cafe.sell("ann", ("espresso", "3", "4.50"))
    cafe.crm.clock.advance(timedelta(days=90))

    cafe.crm.run_job("loyalty.expiry")

    assert accounts(cafe, "ann") == {"points": 13, "stamps": 0}
    assert_sound(cafe)


def test_a_return_takes_back_each_kind_and_each_has_its_own_policy(cafe: Till) -> None:
    receipt = cafe.sell("ann", ("espresso", "3", "4.50"))
    cafe.adjust("ann", -13)
    cafe.adjust("ann", -3, point_kind="stamps")

    cafe.take_back("ann", receipt, ("espresso", "-3", "4.50"))

    assert cafe.account("ann") == (0, 13)  # a debt
    assert accounts(cafe, "ann") == {"points": -13, "stamps": 0}  # stamps are forgiven
    assert_sound(cafe)


def test_goods_without_a_receipt_take_both_kinds(cafe: Till) -> None:
    cafe.sell("ann", ("espresso", "3", "4.50"))

    cafe.take_back("ann", None, ("espresso", "-2", "4.50"))

    assert accounts(cafe, "ann") == {"points": 4, "stamps": 1}
    assert_sound(cafe)


def test_points_of_one_kind_do_not_pay_for_another(cafe: Till) -> None:
    cafe.sell("ann", ("espresso", "3", "4.50"))

    with pytest.raises(Exception, match="has 3 points, 4 were to go"):
        cafe.adjust("ann", -4, point_kind="stamps")

    assert accounts(cafe, "ann") == {"points": 13, "stamps": 3}


def test_an_adjustment_of_an_unknown_kind_is_refused(cafe: Till) -> None:
    with pytest.raises(ValidationFailed) as refused:
        cafe.adjust("ann", 4, point_kind="miles")

    (problem,) = refused.value.problems
    assert (problem.code, problem.field, problem.value) == (
        "UNKNOWN_VALUE", "pointKind", "miles",
    )  # fmt: skip
    assert "points, stamps" in problem.message


def test_books_of_several_kinds_are_made_again_from_entries(cafe: Till) -> None:
    receipt = cafe.sell("ann", ("espresso", "3", "4.50"))
    cafe.adjust("ann", -2, point_kind="stamps")
    cafe.take_back("ann", receipt, ("espresso", "-1", "4.50"))
    before = cafe.lots("ann")

    cafe.crm.write(_spoil)
    assert cafe.differences() != []
    cafe.rebuild()

    assert cafe.lots("ann") == before
    assert_sound(cafe)


def _spoil(session: Any) -> None:
    session.connection().exec_driver_sql("DELETE FROM loyalty_allocation")
    session.connection().exec_driver_sql("UPDATE loyalty_account SET balance = 500")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rules": [STAMP]}, r"rules.0 \(stamp\).point_kind: the kinds of points are: points"),
        ({"point_kinds": {"points": {}}}, "the settings of 'points' stand one level above"),
        (
            {"rules": [BASE, {"name": "twice", "kind": "multiplier", "factor": 2,
                              "point_kind": "stamps"}], "point_kinds": {"stamps": {}}},
            "a multiplier has no point_kind",
        ),
        ({"point_kinds": {"stamps": {"timezone": "UTC"}}}, "timezone"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_stop_the_start(
    till_factory: TillFactory, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(PluginError, match=message):
        till_factory(**options)


PENDING = """query ($id: ID!) { customer(id: $id) { loyalty { balance pending
    accounts { pointKind balance pending debt } } } }"""


def test_earned_points_are_pending_until_the_holding_period_ends(
    till_factory: TillFactory,
) -> None:
    till = till_factory(holding_days=14)
    till.sell("ann", ("tea", "1", "100.00"), occurred_at=NOON)
    till.adjust("ann", 7)

    def loyalty() -> Any:
        return till.ask(PENDING, id=f"cus_{till.ids['ann'].hex}")["customer"]["loyalty"]

    both = {"balance": 107, "pending": 100}
    assert loyalty() == {**both, "accounts": [{"pointKind": "points", **both, "debt": 0}]}
    till.crm.clock.advance(timedelta(days=14))
    assert loyalty()["pending"] == 0


def test_what_comes_back_of_pending_points_stays_pending(till_factory: TillFactory) -> None:
    till = till_factory(holding_days=14)
    receipt = till.sell("ann", ("tea", "2", "50.00"), occurred_at=NOON)
    back = till.take_back("ann", receipt, ("tea", "-1", "50.00"), occurred_at=NOON)
    till.void(back, occurred_at=NOON)

    assert till.active_dates("ann") == [NOON + timedelta(days=14)] * 2
    assert_sound(till)


def test_a_return_takes_pending_points_of_its_own_sale_first(till_factory: TillFactory) -> None:
    till = till_factory(holding_days=14, lifetime_months=12)
    till.sell("ann", ("tea", "1", "30.00"), occurred_at=NOON - timedelta(days=20))
    receipt = till.sell("ann", ("pot", "1", "50.00"), occurred_at=NOON)

    till.take_back("ann", receipt, ("pot", "-1", "50.00"), occurred_at=NOON)

    assert [left for _, left, _ in till.lots("ann")] == [30, 0]
    assert_sound(till)
