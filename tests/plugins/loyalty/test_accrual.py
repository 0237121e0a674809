import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import LineInput, RecordedLine
from crmkit_loyalty.accrual import (
    points_for,
    points_per_minor,
    points_to_take_back,
    returned_share,
)

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

EARNED = [
    # rate, currency, minor units, points
    ("1", "CNY", 99, 0),
    ("1", "CNY", 100, 1),
    ("1", "CNY", 101, 1),
    ("1", "CNY", 199, 1),
    ("1", "CNY", 200, 2),
    ("1", "CNY", 0, 0),
    ("1", "CNY", -500, 0),
    ("0.1", "CNY", 999, 0),
    ("0.1", "CNY", 1000, 1),
    ("1.5", "CNY", 66, 0),
    ("1.5", "CNY", 67, 1),
    ("0", "CNY", 1_000_000, 0),
    ("0.01", "JPY", 99, 0),
    ("0.01", "JPY", 100, 1),
    ("1", "KWD", 999, 0),
    ("1", "KWD", 1000, 1),
    ("0.000001", "CNY", 99_999_999, 0),
    ("0.000001", "CNY", 100_000_000, 1),
]


@pytest.mark.parametrize(("rate", "currency", "minor", "points"), EARNED)
def test_whole_units_earn_and_fractions_are_dropped(
    rate: str, currency: str, minor: int, points: int
) -> None:
    assert points_for(minor, points_per_minor(Decimal(rate), currency)) == points


def line(position: int, quantity_milli: int, amount_minor: int) -> RecordedLine:
    return RecordedLine(
        position, "product", "sku", None, None, None, quantity_milli, 0, 0, 0, amount_minor, None
    )


sold_lines = st.lists(
    st.tuples(st.integers(1, 5_000), st.integers(-500, 50_000)), min_size=1, max_size=6
).map(lambda some: [line(n, *values) for n, values in enumerate(some, 1)])


@given(sold=sold_lines, earned=st.integers(0, 10_000), data=st.data())
def test_any_split_of_a_full_return_takes_back_exactly_what_was_given(
    sold: list[RecordedLine], earned: int, data: st.DataObject
) -> None:
    parts = []
    for each in sold:
        cuts = data.draw(st.lists(st.integers(0, each.quantity_milli), max_size=3))
        edges = [0, *sorted(cuts), each.quantity_milli]
        parts += [(each.position, b - a) for a, b in itertools.pairwise(edges)]
    parts = data.draw(st.permutations(parts))

    taken, shares = 0, [Fraction()]
    for count in range(1, len(parts) + 1):
        shares.append(returned_share(sold, parts[:count]))
        taken += points_to_take_back(earned, shares[-1], taken)
        assert 0 <= taken <= earned

    worth_something = any(each.amount_minor > 0 for each in sold)
    assert shares == sorted(shares)
    assert taken == (earned if worth_something else 0)


def test_only_products_earn(till: Till) -> None:
    document = till.document("sale", "ann", [("tea", "1", "10.00")])
    document.lines = [*document.lines, LineInput("post", 1, "5.00", kind="shipping")]

    till.record(document)

    assert till.balance("ann") == 10


def test_a_discount_on_a_line_earns_nothing(till: Till) -> None:
    document = till.document("sale", "ann")
    document.lines = [LineInput("tea", 2, "10.00", discount="0.01")]

    till.record(document)

    assert till.balance("ann") == 19


def test_fractions_are_dropped_once_per_transaction(till: Till) -> None:
    till.sell("ann", ("a", "1", "0.60"), ("b", "1", "0.60"))
    till.sell("ann", ("a", "1", "0.60"))

    assert till.deltas("ann") == [("accrual", 1)]


def test_another_currency_earns_by_its_own_rate(till_factory: TillFactory) -> None:
    till = till_factory(points_per_major_unit_of={"JPY": "0.01"})

    till.sell("ann", ("tea", "1", "1999"), currency="JPY")
    till.sell("ann", ("tea", "1", "3.00"))

    assert till.deltas("ann") == [("accrual", 19), ("accrual", 3)]


def test_a_sale_earns_once_however_often_it_is_sent(till: Till) -> None:
    document = till.document("sale", "ann", [("tea", "1", "10.00")])

    till.record(document)
    till.record(document, document)

    assert till.deltas("ann") == [("accrual", 10)]


def test_adjustments_of_the_books_and_anonymous_sales_earn_nothing(till: Till) -> None:
    till.record(till.document("adjustment", "ann", [("tea", "1", "10.00")]))
    till.sell(None, ("tea", "1", "10.00"))

    assert till.entries("ann") == []
    assert till.differences() == []


def test_a_late_sale_earns_at_the_time_it_happened(till: Till) -> None:
    till.sell("ann", ("tea", "1", "10.00"), occurred_at="2020-02-29T00:00:00Z")

    (entry,) = till.entries("ann")

    assert entry.occurred_at.year == 2020
    assert entry.recorded_at.year == 2026


@pytest.mark.parametrize(
    ("bought", "months", "expires"),
    [
        ("2026-01-31T08:00:00Z", 1, "2026-02-28T08:00:00+00:00"),
        ("2023-02-28T08:00:00Z", 12, "2024-02-28T08:00:00+00:00"),
        ("2024-02-29T08:00:00Z", 12, "2025-02-28T08:00:00+00:00"),
        ("2026-12-01T08:00:00Z", 1, "2027-01-01T08:00:00+00:00"),
    ],
)
def test_points_expire_calendar_months_after_the_sale(
    till_factory: TillFactory, bought: str, months: int, expires: str
) -> None:
    till = till_factory(lifetime_months=months)

    till.sell("ann", ("tea", "1", "10.00"), occurred_at=bought)

    assert [lot[2].isoformat() for lot in till.lots("ann")] == [expires]
