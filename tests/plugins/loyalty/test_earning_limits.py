"""Limits of rules: for a customer in a day, month or year, and a budget for everybody."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crmkit import Crm, CustomerRef, LineInput, TransactionInput
from crmkit.testing import NOON
from earning_checker import points_from

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

BASE: dict[str, Any] = {"name": "base", "kind": "per_amount", "points": 1}


def at(day: str) -> str:
    return f"{day}T12:00:00Z"


def sell(till: Till, who: str, amount: str, day: str = "2026-06-15", **more: Any) -> str:
    sold: str = till.sell(who, ("tea", "1", amount), occurred_at=at(day), **more)
    return sold


def points(till: Till, who: str) -> list[int]:
    return [delta for _, delta in till.deltas(who)]


def test_a_customer_gets_at_most_so_much_in_a_day_a_month_and_a_year(
    till_factory: TillFactory,
) -> None:
    most = {"customer_day_max": 100, "customer_month_max": 150, "customer_year_max": 200}
    till = till_factory(rules=[{**BASE, **most}])

    sell(till, "ann", "70", "2026-06-01")
    sell(till, "ann", "70", "2026-06-01")  # 30 are left of the day
    sell(till, "ann", "70", "2026-06-02")  # 50 are left of the month
    sell(till, "ann", "70", "2026-06-03")  # nothing is
    sell(till, "ann", "70", "2026-07-01")  # 50 are left of the year
    sell(till, "ann", "70", "2027-01-01")
    sell(till, "bob", "70", "2026-06-01")

    assert points(till, "ann") == [70, 30, 50, 50, 70]
    assert points(till, "bob") == [70]
    assert till.differences() == []


def test_a_late_sale_counts_for_its_own_day(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**BASE, "customer_day_max": 100}])

    sell(till, "ann", "90", "2026-06-02")
    sell(till, "ann", "90", "2026-06-01")
    sell(till, "ann", "90", "2026-06-02")

    assert points(till, "ann") == [90, 90, 10]


def test_a_budget_stops_a_rule_for_everybody_and_no_other(till_factory: TillFactory) -> None:
    gift = {"name": "gift", "kind": "bonus", "points": 40, "budget": 100}
    till = till_factory(rules=[BASE, gift])

    for who in ("ann", "bob", "ann", "bob"):
        sell(till, who, "10")

    assert points(till, "ann") == [10, 40, 10, 20]
    assert points(till, "bob") == [10, 40, 10]
    assert till.differences() == []


def test_the_entry_says_what_was_left_and_so_what_the_limit_took(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[{**BASE, "customer_month_max": 100, "budget": 1000}])

    sell(till, "ann", "70")
    sell(till, "ann", "70")

    entry = till.entries("ann")[-1]
    assert entry.explanation["units"] == "70"
    assert entry.explanation["formula"] == "min(floor(units x points), left of each limit)"
    assert entry.explanation["limits"] == [
        {"limit": "customer_month_max", "period": "2026-06", "max": 100, "left": 30},
        {"limit": "budget", "period": "", "max": 1000, "left": 930},
    ]
    assert points_from(entry.explanation) == entry.points_delta == 30


def test_a_limit_counts_what_was_given_whatever_comes_back(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**BASE, "customer_day_max": 100}])
    sale = sell(till, "ann", "100")

    till.void(sale)
    sell(till, "ann", "100")

    assert points(till, "ann") == [100, -100]


def test_sales_of_one_batch_share_what_is_left(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**BASE, "customer_day_max": 100, "budget": 150}])

    till.record(
        *(till.document("sale", who, [("tea", "1", "70")]) for who in ("ann", "ann", "bob"))
    )

    assert (points(till, "ann"), points(till, "bob")) == ([70, 30], [50])
    assert till.differences() == []


def test_a_limit_that_is_lowered_below_what_was_given_gives_nothing(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[{**BASE, "customer_day_max": 100}])
    sell(till, "ann", "90")
    till.crm.close()
    lowered = till_factory(rules=[{**BASE, "customer_day_max": 50}])

    sell(lowered, "ann", "90", external_id="later")

    assert points(lowered, "ann") == [90]


def test_counts_that_are_wrong_are_found_and_mended(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**BASE, "customer_day_max": 100, "budget": 1000}])
    sell(till, "ann", "70")
    with till.crm.database.write() as session:
        session.execute(text("UPDATE loyalty_earned_points SET points = 5 WHERE owner = ''"))

    (found,) = till.differences()
    assert (found.table, found.key) == ("loyalty_earned_points", "base//")
    assert (found.stored, found.expected) == ({"points": 5}, {"points": 70})
    till.rebuild()

    assert till.differences() == []
    sell(till, "ann", "70")
    assert points(till, "ann") == [70, 30]


def test_the_database_refuses_to_count_past_a_limit(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**BASE, "budget": 100}])
    sell(till, "ann", "70")

    with pytest.raises(DBAPIError), till.crm.database.write() as session:
        session.execute(text("UPDATE loyalty_earned_points SET points = 101"))


def test_sales_at_once_pass_neither_limit_nor_budget(till_factory: TillFactory) -> None:
    gift = {"name": "gift", "kind": "bonus", "points": 7, "budget": 100}
    till = till_factory(rules=[{**BASE, "customer_day_max": 100}, gift])
    if till.crm.database.dialect == "sqlite":  # which has one process that writes
        others = [till.crm]
    else:
        others = [Crm(till.crm.settings, clock=till.crm.clock) for _ in range(2)]

    def work(n: int) -> None:
        others[n % len(others)].record_transactions([
            TransactionInput(
                "till", f"at-once-{n}", kind="sale", occurred_at=NOON, currency="CNY",
                customer=CustomerRef(external_id=("ann", "bob")[n // 2 % 2]),
                lines=[LineInput("tea", 1, "9.00")],
            )
        ])  # fmt: skip

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(64)))
    for crm in others:
        if crm is not till.crm:
            crm.close()

    entries = [*till.entries("ann"), *till.entries("bob")]
    by_rule = {
        (rule, who): sum(e.points_delta for e in till.entries(who) if e.rule == rule)
        for rule in ("base", "gift")
        for who in ("ann", "bob")
    }
    assert (by_rule["base", "ann"], by_rule["base", "bob"]) == (100, 100)
    assert by_rule["gift", "ann"] + by_rule["gift", "bob"] == 100
    assert {points_from(entry.explanation) - entry.points_delta for entry in entries} == {0}
    assert till.differences() == []
