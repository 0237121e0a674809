"""Points of those who keep buying do not expire."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit_loyalty.lifetime import Lifetime
from crmkit_loyalty.restarting import restarted
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Callable[..., Till]

JOB = "loyalty.expiry"


def on(month: int, day: int = 1) -> datetime:
    """Return noon of a day in the months of 2026 and after."""
    return datetime(2026 + (month - 1) // 12, (month - 1) % 12 + 1, day, 12, tzinfo=UTC)


def go_to(till: Till, at: datetime) -> None:
    till.crm.clock.advance(at - till.crm.clock.now())


def dates(till: Till) -> list[datetime]:
    return [expires_at for _, left, expires_at in till.lots("ann") if left]


def sell(till: Till, at: datetime, points: int = 10) -> str:
    receipt: str = till.sell("ann", ("tea", "1", f"{points}.00"), occurred_at=at)
    return receipt


@pytest.fixture
def till(till_factory: TillFactory) -> Till:
    """Give a shop whose points are good for three months after the last purchase."""
    return till_factory(lifetime_months=3, lifetime_restarts=True)


def test_each_purchase_gives_all_points_three_months_more(till: Till) -> None:
    sell(till, on(1))  # January: good until April
    sell(till, on(3), 20)  # March: all are good until June
    assert dates(till) == [on(6), on(6)]

    go_to(till, on(4))
    assert till.crm.run_job(JOB) == 0
    go_to(till, on(6))
    assert till.crm.run_job(JOB) == 2

    assert till.deltas("ann")[2:] == [("expiry", -10), ("expiry", -20)]
    assert verify(till.crm).is_good


def test_a_purchase_after_points_expired_brings_none_back(till: Till) -> None:
    sell(till, on(1))
    sell(till, on(4), 20)  # at the very instant at which January's expire

    assert dates(till) == [on(4), on(7)]


def test_points_given_by_hand_live_on_with_purchases_but_prolong_nothing(till: Till) -> None:
    go_to(till, on(7))
    sell(till, on(7))
    go_to(till, on(8))
    till.adjust("ann", 50)
    assert dates(till) == [on(10), on(11)]

    sell(till, on(9))

    assert dates(till) == [on(12)] * 3


@pytest.mark.parametrize("at_once", [True, False], ids=["one batch", "one by one"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_order_in_which_purchases_become_known_does_not_matter(
    till: Till, order: tuple[int, ...], at_once: bool
) -> None:
    months = (1, 3, 5)
    goods = [("tea", "1", "10.00")]
    documents = [till.document("sale", "ann", goods, occurred_at=on(months[n])) for n in order]

    if at_once:
        till.record(*documents)
    else:
        for document in documents:
            till.record(document)

    assert dates(till) == [on(8)] * 3


def test_a_return_in_a_batch_finds_points_that_were_prolonged_in_it(till: Till) -> None:
    till.record(
        till.document("sale", "ann", [("tea", "1", "10.00")], occurred_at=on(1)),
        till.document("sale", "ann", [("tea", "1", "20.00")], occurred_at=on(3)),
        till.document("return", "ann", [("cup", "-1", "25.00")], occurred_at=on(5)),
    )

    assert till.deltas("ann") == [("accrual", 10), ("accrual", 20), ("adjustment", -25)]


def test_lots_made_again_have_the_dates_they_had(till: Till) -> None:
    sell(till, on(1))
    sell(till, on(3), 20)
    with till.crm.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM loyalty_lot")

    till.rebuild()

    assert dates(till) == [on(6), on(6)]


instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 hypothesis wants naive bounds


@given(first=instants, accruals=st.lists(instants, max_size=8), days=st.integers(1, 900))
def test_points_live_until_the_first_gap_that_is_as_long_as_their_lifetime(
    first: datetime, accruals: list[datetime], days: int
) -> None:
    lifetime = Lifetime(days=days, restarts=True)
    born = lifetime.expires_at(first)
    assert born is not None

    until = restarted(born, accruals, lifetime)

    assert until >= born
    assert not [at for at in accruals if until - timedelta(days=days) < at < until]
    assert until == born or until - timedelta(days=days) in accruals
    for split in range(len(accruals)):  # known in two parts, in either order
        part = restarted(born, accruals[split:], lifetime)
        assert restarted(part, accruals, lifetime) == until
