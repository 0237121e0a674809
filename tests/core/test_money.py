"""Amounts from outside: one grammar, exact integers, one rounding rule."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmkit.errors import shown
from crmkit.money import (
    AmountError,
    currency_digits,
    format_minor,
    line_amount,
    parse_micros,
    parse_milli,
    parse_minor,
    round_half_away,
)

NUMBERS = st.integers(-(10**10), 10**10)
OUTSIDE_THE_GRAMMAR = [
    "", " ", "abc", "NaN", "nan", "Infinity", "-Infinity", "inf", "1e3", "1E3", "1_000", "1,000",
    "1.234,50", "１２", "١٢", "१२", "12.", ".5", "+5", "--5", "5-", " 5", "5 ", "5\n", "0x10",
    "12.3456789", "1" * 13, "1\x00", "\ud800", "¥5", "5 CNY", "1/2", "½", "9" * 10_000_000,
    None, True, False, 1.5, 1.0, float("nan"), float("inf"), [], {}, [1], {"a": 1}, b"5", object(),
    10**12, 10**5000, -(10**5000), 2**63, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"),
    Decimal("1E+999999999"), Decimal("1E-999999999"), Decimal("0.0000001"), Decimal(10) ** 13,
]  # fmt: skip


@pytest.mark.parametrize("value", OUTSIDE_THE_GRAMMAR, ids=lambda value: repr(shown(value))[:20])
def test_nothing_outside_the_grammar_is_an_amount(value: Any) -> None:
    for parse in (parse_milli, parse_micros, lambda each: parse_minor(each, "CNY")):
        with pytest.raises((AmountError, TypeError)):
            parse(value)


@pytest.mark.parametrize("same", [True, 1.0])
def test_what_equals_a_known_amount_is_not_yet_one(same: Any) -> None:
    assert parse_minor(1, "CNY") == parse_minor(Decimal(1), "CNY") == 100
    assert parse_milli(1) == parse_milli(Decimal(1)) == 1000

    for parse in (parse_milli, lambda each: parse_minor(each, "CNY")):
        with pytest.raises(AmountError):
            parse(same)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "CNY", 1250), ("12.5", "CNY", 1250), ("12.500000", "CNY", 1250),
        ("12", "CNY", 1200),
        ("-0.01", "GBP", -1), ("-0", "GBP", 0), ("007", "GBP", 700), ("1500", "JPY", 1500),
        ("1500.0", "JPY", 1500), ("1.234", "KWD", 1234), ("1.2345", "CLF", 12345),
        ("999999999999.99", "CNY", 99999999999999), (12, "CNY", 1200),
        (Decimal("1E+2"), "CNY", 10000),
    ],
)  # fmt: skip
def test_an_amount_has_the_digits_of_its_currency(text: Any, currency: str, minor: int) -> None:
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"), [("0.001", "CNY"), ("0.5", "JPY"), ("0.0001", "KWD")]
)
def test_an_amount_finer_than_its_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(AmountError, match="digits after the point"):
        parse_minor(text, currency)


@pytest.mark.parametrize("code", ["", "cny", "RMB", "XXX", "XTS", "ＣＮＹ", "CNY ", None, 5, True])
def test_only_currencies_in_use_are_known(code: Any) -> None:
    with pytest.raises(AmountError):
        currency_digits(code)


@settings(deadline=None)  # the first example loads tables
@given(NUMBERS, st.sampled_from(["CNY", "JPY", "KWD", "CLF"]))
def test_writing_an_amount_and_reading_it_gives_the_same(minor: int, currency: str) -> None:
    text = format_minor(minor, currency)

    assert parse_minor(text, currency) == minor


@settings(deadline=None)  # the first example loads tables
@given(NUMBERS, NUMBERS, st.sampled_from(["CNY", "JPY"]))
@example(500, 10_000, "CNY")  # 0.005, a half
@example(-500, 10_000, "CNY")
def test_a_line_is_rounded_once_with_halves_away_from_zero(
    quantity_milli: int, price_micros: int, currency: str
) -> None:
    exact = Decimal(quantity_milli) / 1000 * Decimal(price_micros) / 10**6
    quantum = Decimal(1).scaleb(-currency_digits(currency))

    rounded = int(exact.quantize(quantum, ROUND_HALF_UP).scaleb(currency_digits(currency)))

    assert line_amount(quantity_milli, price_micros, currency) == rounded


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 10, 1), (4, 10, 0), (-5, 10, -1), (-4, 10, 0), (15, 10, 2), (25, 10, 3), (0, 7, 0)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_away(numerator, denominator) == rounded
