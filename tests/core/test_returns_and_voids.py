"""What comes back, never more than was sold; and what is undone, once."""

from threading import Barrier, Thread
from typing import Any

import pytest
from sqlmodel import col, select

from crmkit import Crm, CustomerRef, ErrorPolicy, LineInput, Outcome, metrics
from crmkit.models import Customer, CustomerMetrics, Transaction, TransactionLine
from crmkit.testing import sale

ROWS = ErrorPolicy.REJECT_ROWS


def back(external_id: str, *lines: Any, original: str = "s", **changes: Any) -> Any:
    return sale(external_id, *lines, kind="return", original=original, **changes)


def void(external_id: str, original: str = "s", **changes: Any) -> Any:
    return sale(external_id, kind="void", original=original, **{"lines": [], **changes})


def record(crm: Crm, *batch: Any) -> list[str]:
    """Record rows and return, for each, its outcome or the code of its first problem."""
    results = crm.record_transactions(batch, policy=ROWS, create_missing_customers=True)
    with crm.read() as session:
        assert metrics.check(session) == []
    return [each.problems[0].code if each.problems else str(each.outcome) for each in results]


def test_goods_come_back_in_parts_until_nothing_is_left(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 3, "10"), customer="c"))

    codes = [record(crm, back(str(n), ("tea", -1, "10")))[0] for n in range(4)]

    assert codes == ["taken", "taken", "taken", "RETURN_EXCEEDS_SALE"]


def test_parts_of_one_batch_count_together(crm: Crm) -> None:
    batch = [sale("s", ("tea", 2, 1)), back("a", ("tea", -2, 1)), back("b", ("tea", "-0.001", 1))]

    assert record(crm, *batch) == ["taken", "taken", "RETURN_EXCEEDS_SALE"]


def test_a_return_finds_its_line_by_sku(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 1, 1), ("cup", 1, 2), ("tea", 2, 1)))

    codes = record(crm, back("r", ("tea", -2, 1), ("cup", -1, 2)))

    with crm.read() as session:
        lines = select(TransactionLine.original_position).where(TransactionLine.quantity_milli < 0)
        positions = session.exec(lines.order_by(col(TransactionLine.position))).all()
    assert codes == ["taken"]
    assert positions == [3, 2]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LineInput("tea", -1, 1, original_position=1), "taken"),
        (LineInput("tea", -1, 1, original_position=2), "RETURN_EXCEEDS_SALE"),
        (LineInput("tea", -1, 1, original_position=9), "RETURN_EXCEEDS_SALE"),
        (LineInput("tea", -1, 1, original_position=0), "UNKNOWN_VALUE"),
        (LineInput("tea", -1, 1, original_position=True), "UNKNOWN_VALUE"),
        (LineInput("tea", -1, 1, original_position="1"), "UNKNOWN_VALUE"),  # type: ignore[arg-type]
        (LineInput("cake", -1, 1), "RETURN_EXCEEDS_SALE"),
        (LineInput("tea", -2, 1), "RETURN_EXCEEDS_SALE"),
        (LineInput("post", -1, 5, kind="shipping"), "taken"),
        (LineInput("post", -2, 5, kind="shipping", original_position=3), "RETURN_EXCEEDS_SALE"),
    ],
)
def test_a_line_that_comes_back_was_sold(crm: Crm, line: LineInput, code: str) -> None:
    post = LineInput("post", 1, 5, kind="shipping")
    record(crm, sale("s", LineInput("tea", 1, 1), LineInput("cup", 1, 1), post))

    assert record(crm, back("r", line)) == [code]


def test_goods_given_in_exchange_make_no_room_for_more_returns(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 1, 1)))
    given = LineInput("tea", 5, 1, original_position=1)

    codes = [
        *record(crm, sale("x", given, kind="exchange", original="s")),
        *record(crm, sale("y", ("tea", -1, 1), ("tea", 5, 1), kind="exchange", original="s")),
        *record(crm, back("r", ("tea", -1, 1))),
    ]

    assert codes == ["NOT_ALLOWED", "taken", "RETURN_EXCEEDS_SALE"]


def test_what_was_given_in_exchange_may_come_back(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 1, 1)))
    record(crm, sale("x", ("tea", -1, 1), ("cup", 1, 1), kind="exchange", original="s"))

    codes = record(crm, back("r", ("cup", -1, 1), original="x"), back("q", ("tea", -1, 1)))

    assert codes == ["taken", "RETURN_EXCEEDS_SALE"]


@pytest.mark.parametrize("lines", [[("tea", -1, 1)], [LineInput("post", -1, 1, kind="shipping")]])
def test_a_return_cannot_come_back(crm: Crm, lines: list[Any]) -> None:
    record(crm, sale("s", ("tea", 2, 1)), back("r", ("tea", -1, 1)), void("v", "r"))

    codes = record(crm, back("a", *lines, original="v"), back("b", *lines, original="r"))

    assert codes == ["NOT_ALLOWED", "ALREADY_VOIDED"]


def test_a_return_belongs_to_the_buyer_and_to_the_currency_of_its_sale(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 2, 1), customer="c"))

    codes = record(crm, back("r", ("tea", -1, 1)), back("q", ("tea", -1, 1), currency="GBP"))

    with crm.read() as session:
        owners = set(session.exec(select(Transaction.customer_id)))
        figures = session.exec(select(CustomerMetrics)).one()
    assert codes == ["taken", "CURRENCY_MISMATCH"]
    assert owners == {figures.customer_id}
    assert (figures.net_minor, figures.returned_minor, figures.return_count) == (100, 100, 1)


def test_the_original_may_stand_anywhere_in_the_batch(crm: Crm) -> None:
    batch = [back("r", ("tea", -1, 1)), sale("s", ("tea", 1, 1)), back("q", original="none")]

    codes = record(crm, *batch)

    with crm.read() as session:
        assert len(session.exec(select(Transaction)).all()) == 2
    assert codes == ["taken", "taken", "WRONG_SIGN"]


@pytest.mark.parametrize("original", ["none", "r"])
def test_an_original_must_exist(crm: Crm, original: str) -> None:
    assert record(crm, back("r", ("tea", -1, 1), original=original)) == ["UNKNOWN_ORIGINAL"]


def test_a_void_mirrors_its_original_and_takes_it_out_of_the_figures(crm: Crm) -> None:
    record(
        crm,
        sale("s", ("tea", 3, "1.99"), customer="c", paid="5", store="S"),
    )

    codes = record(crm, void("v"))

    with crm.read() as session:
        undone = session.exec(select(Transaction).where(Transaction.kind == "void")).one()
        assert session.exec(select(CustomerMetrics)).all() == []
    assert codes == ["taken"]
    assert (undone.total_minor, undone.paid_minor, undone.due_minor) == (-597, -500, -97)


def test_a_sale_is_voided_once_and_not_returned_after(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 1, 1), customer="c"), sale("t", customer="c"))

    first = record(crm, void("v"), void("w"))
    later = record(crm, void("x"), back("r", ("tea", -1, 1)), void("y", "v"), void("v"))

    assert first == ["taken", "ALREADY_VOIDED"]
    assert later == ["ALREADY_VOIDED", "ALREADY_VOIDED", "NOT_ALLOWED", "known"]


def test_a_sale_with_returns_is_not_voided_unless_they_were(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 2, 1), customer="c"), back("r", ("tea", -2, 1)))

    codes = [
        *record(crm, void("v")),
        *record(crm, void("w", "r")),
        *record(crm, back("q", ("tea", -2, 1)), void("x", "q"), void("v")),
    ]

    assert codes == ["NOT_ALLOWED", "taken", "taken", "taken", "taken"]


def test_a_void_takes_no_other_customer_currency_or_lines(crm: Crm) -> None:
    record(crm, sale("s", customer="c"), sale("t", customer="d"))

    codes = record(
        crm,
        void("v", customer=CustomerRef(external_id="d")),
        void("w", currency="GBP"),
        void("x", lines=[LineInput("tea", 1, 1)]),
        void("y", customer=CustomerRef(external_id="c")),
    )

    assert codes == ["CUSTOMER_MISMATCH", "CURRENCY_MISMATCH", "NOT_ALLOWED", "taken"]


def test_who_buys_while_something_older_is_voided_becomes_a_customer(crm: Crm) -> None:
    record(crm, sale("s", ("tea", -1, 1), kind="return", customer="c"))

    codes = record(crm, void("v", "s"), sale("t", customer="c"))

    with crm.read() as session:
        [buyer] = session.exec(select(Customer))
        figures = session.exec(select(CustomerMetrics)).one()
    assert codes == ["taken", "taken"]
    assert (buyer.lifecycle, figures.sale_count, figures.net_minor) == ("customer", 1, 1000)


def test_of_many_voids_at_once_one_wins(crm: Crm) -> None:
    record(crm, sale("s", customer="c"))
    codes, ready = [], Barrier(4)

    def undo(number: int) -> None:
        ready.wait()
        [result] = crm.record_transactions([void(f"v{number}")], policy=ROWS)
        codes.append(result.problems[0].code if result.problems else result.outcome)

    _run_all([Thread(target=undo, args=(number,)) for number in range(4)])

    assert sorted(codes) == ["ALREADY_VOIDED"] * 3 + [Outcome.TAKEN]


def test_of_many_returns_at_once_no_more_than_was_sold_are_taken(crm: Crm) -> None:
    record(crm, sale("s", ("tea", 3, 1), customer="c"))
    codes, ready = [], Barrier(6)

    def bring_back(number: int) -> None:
        ready.wait()
        [result] = crm.record_transactions([back(f"r{number}", ("tea", -1, 1))], policy=ROWS)
        codes.append(result.outcome)

    _run_all([Thread(target=bring_back, args=(number,)) for number in range(6)])

    with crm.read() as session:
        assert metrics.check(session) == []
    assert sorted(codes) == [Outcome.REJECTED] * 3 + [Outcome.TAKEN] * 3


def _run_all(threads: list[Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
