"""Money moves with the goods, and no more of it comes back than was taken."""

from typing import Any

import pytest
from sqlmodel import col, func, select

from crmkit import Crm, ErrorPolicy, LineInput
from crmkit.models import Transaction, TransactionLine
from crmkit.testing import sale

ROWS = ErrorPolicy.REJECT_ROWS


def record(crm: Crm, *batch: Any) -> list[str]:
    """Record rows and return, for each, its outcome or code and field of its first problem."""
    results = crm.record_transactions(batch, policy=ROWS)
    firsts = [(each.outcome, next(iter(each.problems), None)) for each in results]
    return [f"{first.code} {first.field}" if first else str(outcome) for outcome, first in firsts]


def back(external_id: str, *lines: Any, **changes: Any) -> Any:
    return sale(external_id, *lines, **{"kind": "return", "original": "s", **changes})


def total(crm: Crm) -> int:
    with crm.read() as session:
        return session.scalar(select(func.sum(col(Transaction.total_minor)))) or 0


def test_goods_that_were_reduced_come_back_reduced(crm: Crm) -> None:
    sold = LineInput("tea", 1, "10.00", discount="1.00")
    mirrored = LineInput("tea", -1, "10.00", discount="1.00")

    codes = record(crm, sale("s", sold), back("r", mirrored))

    assert codes == ["taken", "taken"]
    assert total(crm) == 0


def test_a_reduction_is_not_paid_out(crm: Crm) -> None:
    sold = LineInput("tea", 1, "10.00", discount="1.00")

    codes = record(crm, sale("s", sold), back("r", ("tea", -1, "10.00")))

    assert codes == ["taken", "RETURN_EXCEEDS_SALE lines[0].amount"]


def test_money_comes_back_in_parts_until_none_is_left(crm: Crm) -> None:
    record(crm, sale("s", LineInput("tea", 3, "10", discount="1")))
    reduced = LineInput("tea", -1, "10", discount="0.34")

    codes = [
        *record(crm, back("a", ("tea", -1, "10")), back("b", ("tea", -1, "10"))),
        *record(crm, back("c", ("tea", -1, "10")), back("d", reduced)),
        *record(crm, back("e", ("tea", -1, "9"))),
    ]

    left = "RETURN_EXCEEDS_SALE lines[0].amount"
    assert codes == ["taken", "taken", left, left, "taken"]
    assert total(crm) == 0


def test_what_a_voided_return_gave_back_is_there_again(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 2, "10")), back("r", ("tea", -1, "20")))
    void = sale("v", kind="void", original="r", lines=[])

    codes = record(crm, back("q", ("tea", -1, "10")), void, back("p", ("tea", -2, "10")))

    assert codes == ["RETURN_EXCEEDS_SALE lines[0].amount", "taken", "taken"]


def test_a_return_finds_the_line_that_took_enough(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 1, "1"), ("tea", 1, "5")))

    codes = record(crm, back("r", ("tea", -1, "5")), back("q", ("tea", -1, "1")))

    with crm.read() as session:
        positions = select(TransactionLine.original_position).where(
            TransactionLine.quantity_milli < 0
        )
        assert set(session.exec(positions)) == {1, 2}
    assert codes == ["taken", "taken"]


def test_a_reduction_that_comes_back_is_taken_in_again(crm: Crm) -> None:
    off = LineInput("off", 2, "-5", kind="discount")
    record(crm, sale("s", ("tea", 2, "10"), off))
    half = LineInput("off", -1, "-5", kind="discount", original_position=2)
    wrong = LineInput("off", -1, "5", kind="discount", original_position=2)

    codes = record(crm, back("a", half), back("b", wrong), back("c", half))

    assert codes == ["taken", "RETURN_EXCEEDS_SALE lines[0].amount", "taken"]


@pytest.mark.parametrize(
    ("kind", "line", "code"),
    [
        ("sale", LineInput("tea", 1, 10, amount="-10"), "WRONG_SIGN lines[0].amount"),
        ("sale", LineInput("tea", 1, -10), "WRONG_SIGN lines[0].amount"),
        ("sale", LineInput("tea", 1, 10, discount=11), "WRONG_SIGN lines[0].amount"),
        ("sale", LineInput("tea", 0, 10, amount=5), "WRONG_SIGN lines[0].quantity"),
        ("return", LineInput("tea", 0, 10), "WRONG_SIGN lines[0].quantity"),
        ("return", LineInput("tea", -1, 10, amount=10), "WRONG_SIGN lines[0].amount"),
        ("exchange", LineInput("tea", -1, 10, amount=10), "WRONG_SIGN lines[0].amount"),
        ("sale", LineInput("tea", 1, 0), "taken"),
        ("return", LineInput("tea", -1, 0), "taken"),
        ("sale", LineInput("off", 1, -10, kind="discount"), "taken"),
        ("return", LineInput("off", -1, 10, kind="discount"), "taken"),
        ("adjustment", LineInput("tea", 0, 10, amount=-5), "taken"),
        ("adjustment", LineInput("tea", 1, -10), "taken"),
    ],
)
def test_the_amount_of_a_product_has_the_sign_of_its_quantity(
    crm: Crm, kind: str, line: LineInput, code: str
) -> None:
    assert record(crm, sale("s", line, kind=kind)) == [code]


@pytest.mark.parametrize(
    ("kind", "quantity", "paid", "code"),
    [
        ("sale", 1, "-1", "WRONG_SIGN paid"),
        ("return", -1, "10", "WRONG_SIGN paid"),
        ("sale", 1, "0", "taken"),
        ("return", -1, "-4", "taken"),
    ],
)
def test_what_is_paid_has_the_sign_of_the_total(
    crm: Crm, kind: str, quantity: int, paid: str, code: str
) -> None:
    assert record(crm, sale("s", ("tea", quantity, 10), kind=kind, paid=paid)) == [code]


def test_a_void_pays_back(crm: Crm) -> None:
    record(crm, sale("s"))
    wrong, right = (sale("v", kind="void", original="s", lines=[], paid=p) for p in ("1", "-10"))

    assert record(crm, wrong) == ["WRONG_SIGN paid"]
    assert record(crm, right) == ["taken"]


def test_a_void_of_a_reduced_sale_is_what_its_own_figures_give(crm: Crm) -> None:
    record(crm, sale("s", LineInput("tea", 1, "10", discount="1")))
    record(crm, sale("v", kind="void", original="s", lines=[]))

    with crm.read() as session:
        of_void = select(TransactionLine).where(TransactionLine.quantity_milli < 0)
        line = session.exec(of_void).one()
    assert (line.unit_price_micros, line.discount_minor, line.amount_minor) == (10**7, 100, -900)


def test_an_original_may_come_last_whatever_hangs_on_it(crm: Crm) -> None:
    void = sale("v", kind="void", original="r", lines=[])
    batch = [void, back("r", ("tea", -1, 10)), sale("s"), back("q", original="none", kind="void")]

    assert record(crm, *batch)[:3] == ["taken", "taken", "taken"]
    assert total(crm) == 1000


def test_what_names_itself_or_each_other_has_no_original(crm: Crm) -> None:
    itself = back("a", ("tea", -1, 10), original="a")
    one, other = (back(n, ("tea", -1, 10), original=m) for n, m in (("b", "c"), ("c", "b")))

    assert record(crm, itself, one, other) == ["UNKNOWN_ORIGINAL original"] * 3
