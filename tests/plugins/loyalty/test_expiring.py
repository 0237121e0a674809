"""What is going to expire: of a customer soon, of all of them by month with what it may cost."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from crmkit import Actor
from crmkit_loyalty.expiring import liability_minor
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

Till: TypeAlias = Any
TillFactory: TypeAlias = Callable[..., Till]

SHANGHAI = "Asia/Shanghai"
SOON = """query ($days: Int!) { customers { nodes {
  displayName loyalty { expiringSoon(days: $days) { lastDay points } }
} } }"""
LIABILITY = """{ loyaltyLiability {
  points cost { amount currency } months { month points cost { amount } }
} }"""


class Desk:
    """Asks as a member of staff."""

    def __init__(self, till: Till) -> None:
        self.till, self._schema = till, ComposedSchema(till.crm)

    def ask(self, query: str, role: str = "manager", **variables: Any) -> Any:
        actor = Actor("test", role, self.till.crm.roles[role])
        return self._schema.execute(GraphQLRequest(query, variables), actor)

    def soon(self, days: int) -> list[list[tuple[str, int]]]:
        nodes = self.ask(SOON, days=days).data["customers"]["nodes"]
        return [
            [(each["lastDay"], each["points"]) for each in node["loyalty"]["expiringSoon"]]
            for node in nodes
        ]

    def liability(self) -> Any:
        return self.ask(LIABILITY).data["loyaltyLiability"]


def sell(till: Till, who: str, day: str, points: int) -> None:
    at = datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=ZoneInfo(SHANGHAI))
    till.sell(who, ("tea", "1", f"{points}.00"), occurred_at=at)


@pytest.fixture
def desk(till_factory: TillFactory) -> Desk:
    """Give a desk on 15 June 2026, of a programme whose points are good for 12 months."""
    till = till_factory(
        timezone=SHANGHAI, lifetime_months=12, lifetime_ends_with="day",
        point_cost="0.015", expected_redemption_share="0.7",
    )  # fmt: skip
    sell(till, "ann", "2025-06-14", 1_000)  # good until yesterday
    sell(till, "ann", "2025-06-15", 30)
    sell(till, "ann", "2025-06-30", 20)
    sell(till, "ann", "2025-06-30", 25)
    sell(till, "ann", "2025-07-16", 70)
    sell(till, "bob", "2026-06-01", 500)
    till.adjust("bob", -100)
    return Desk(till)


def test_what_expires_soon_is_told_by_its_last_day(desk: Desk) -> None:
    told = sorted(desk.soon(30))

    assert told == [[], [("2026-06-15", 30), ("2026-06-30", 45)]]
    assert sorted(desk.soon(32))[1][-1] == ("2026-07-16", 70)
    assert desk.soon(0) == [[], []]


def test_points_that_were_spent_or_have_expired_expire_no_more(desk: Desk) -> None:
    desk.till.adjust("ann", -40)  # the 30 that expire first, and 10 of the next

    assert sorted(desk.soon(30))[1] == [("2026-06-30", 35)]


def statements(crm: Any, work: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        seen.extend([sql] if "loyalty_lot" in sql else [])

    writer, reader, once = crm.database.engines
    # On PostgreSQL reader and writer are one engine with two faces.
    engines = (reader, once) if crm.database.dialect == "postgresql" else (writer, reader, once)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_each_takes_one_statement_for_all_customers(desk: Desk) -> None:
    desk.till.enrol(*(f"c{n}" for n in range(40)))

    assert statements(desk.till.crm, lambda: desk.soon(30)) == 1
    assert statements(desk.till.crm, desk.liability) == 1


def test_the_liability_is_points_left_by_month_at_their_expected_cost(desk: Desk) -> None:
    # June: 30 + 45 = 75 points x 0.015 x 0.7 = 0.7875; July: 70 -> 0.735; June 2027: 400 -> 4.20.
    assert desk.liability() == {
        "points": 545,
        "cost": {"amount": "5.73", "currency": "CNY"},
        "months": [
            {"month": "2026-06-01", "points": 75, "cost": {"amount": "0.79"}},
            {"month": "2026-07-01", "points": 70, "cost": {"amount": "0.74"}},
            {"month": "2027-06-01", "points": 400, "cost": {"amount": "4.20"}},
        ],
    }


def test_the_liability_is_the_same_before_and_after_the_job(desk: Desk) -> None:
    before = desk.liability()

    desk.till.crm.run_job("loyalty.expiry")

    assert desk.liability() == before
    assert desk.till.balance("ann") + desk.till.balance("bob") == before["points"]


def test_points_that_never_expire_stand_without_a_month(till_factory: TillFactory) -> None:
    till = till_factory()
    till.sell("ann", ("tea", "1", "50.00"))

    (month,) = Desk(till).liability()["months"]

    assert month == {"month": None, "points": 50, "cost": {"amount": "0.50"}}


def test_without_points_nothing_is_owed(till_factory: TillFactory) -> None:
    told = Desk(till_factory()).liability()

    assert told == {"points": 0, "cost": {"amount": "0.00", "currency": "CNY"}, "months": []}


def test_the_last_moment_of_a_month_belongs_to_it(till_factory: TillFactory) -> None:
    till = till_factory(timezone=SHANGHAI, lifetime_days=10, lifetime_ends_with="month")
    sell(till, "ann", "2026-06-15", 8)

    (month,) = Desk(till).liability()["months"]

    assert month["month"] == "2026-06-01"
    till.crm.clock.advance(timedelta(days=16))
    assert Desk(till).liability()["months"] == []


def test_only_those_who_may_see_what_points_cost(desk: Desk) -> None:
    refused = desk.ask(LIABILITY, "clerk")

    assert refused.errors[0]["extensions"]["permission"] == "loyalty.liability"


rates = st.decimals(0, 5, places=4)
shares = st.decimals(0, 1, places=3)


@given(points=st.integers(0, 10**9), cost=rates, share=shares, digits=st.sampled_from([0, 2, 3]))
def test_a_liability_is_within_half_a_minor_unit_of_the_exact_sum(
    points: int, cost: Decimal, share: Decimal, digits: int
) -> None:
    exact = Fraction(cost) * Fraction(share) * points * 10**digits

    rounded = liability_minor(points, cost, share, digits)

    assert -Fraction(1, 2) < rounded - exact <= Fraction(1, 2) or rounded - exact == Fraction(1, 2)
    assert rounded >= 0
