"""Recording transactions: idempotent, all or nothing, and patient with bad input."""

from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, func, select

from crmkit import (
    Crm,
    CustomerRef,
    ErrorPolicy,
    LineInput,
    Outcome,
    RowResult,
    ValidationFailed,
)
from crmkit.models import Customer, Transaction, TransactionLine
from crmkit.testing import NOON, sale

ROWS = ErrorPolicy.REJECT_ROWS


def _count(crm: Crm, model: Any) -> int:
    with crm.read() as session:
        return session.exec(select(func.count()).select_from(model)).one()


def _codes(result: RowResult) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in result.problems]


def test_a_sale_is_stored_as_it_was_sent(crm: Crm) -> None:
    lines = [
        LineInput("tea", "2", "12.345678", description=" Green tea ", discount="0.69", tax="1.38"),
        LineInput("parcel", 1, "5", kind="shipping"),
    ]

    [result] = crm.record_transactions([sale("1", *lines, store="S1", paid="20", channel="shop")])

    with crm.read() as session:
        stored = session.exec(select(Transaction)).one()
        tea, parcel = session.exec(
            select(TransactionLine).order_by(col(TransactionLine.position))
        ).all()
    assert (result.outcome, result.id) == (Outcome.TAKEN, stored.id)
    assert (stored.total_minor, stored.paid_minor, stored.due_minor) == (2900, 2000, 900)
    assert (stored.occurred_at, stored.store, stored.channel) == (NOON, "S1", "shop")
    assert (tea.amount_minor, tea.description, tea.tax_minor) == (2400, "Green tea", 138)
    assert (parcel.amount_minor, parcel.kind, parcel.position) == (500, "shipping", 2)


def test_the_same_sale_again_changes_nothing_and_gets_the_first_answer(crm: Crm) -> None:
    [first] = crm.record_transactions([sale("1", ("tea", "2", "1.50"), store="S1")])

    same = sale(" 1 ", ("tea", 2, "1.5"), store="S1 ", occurred_at="2026-06-15T12:00:00+08:00")
    [again] = crm.record_transactions([same])

    assert again == RowResult(0, Outcome.KNOWN, first.id)
    assert _count(crm, Transaction) == 1


@pytest.mark.parametrize(
    "change",
    [{"store": "S2"}, {"paid": "1"}, {"currency": "GBP"}, {"kind": "exchange"}, {"customer": "c"}],
)
def test_other_content_under_a_known_external_id_is_a_conflict(
    crm: Crm, change: dict[str, Any]
) -> None:
    crm.record_transactions([sale("1"), sale("0", customer="c")], create_missing_customers=True)

    [result] = crm.record_transactions([sale("1", **change)], policy=ROWS)

    assert _codes(result) == [("EXTERNAL_ID_CONFLICT", "externalId")]
    assert _count(crm, Transaction) == 2


def test_a_batch_may_repeat_itself_but_not_contradict_itself(crm: Crm) -> None:
    batch = [sale("1"), sale("1"), sale("1", store="S2"), sale("1", source="web")]

    first, repeat, conflict, elsewhere = crm.record_transactions(batch, policy=ROWS)

    assert repeat == RowResult(1, Outcome.KNOWN, first.id)
    assert _codes(conflict) == [("EXTERNAL_ID_CONFLICT", "externalId")]
    assert elsewhere.outcome is Outcome.TAKEN
    assert _count(crm, Transaction) == 2


def test_the_repeat_of_a_rejected_row_is_rejected_under_its_own_number(crm: Crm) -> None:
    results = crm.record_transactions([sale("1", customer="nobody")] * 2, policy=ROWS)

    assert [result.outcome for result in results] == [Outcome.REJECTED] * 2
    assert [result.problems[0].row for result in results] == [0, 1]


@pytest.mark.parametrize("policy", [ErrorPolicy.REJECT_BATCH, "reject_batch"])
def test_one_bad_row_refuses_the_batch_with_every_problem(crm: Crm, policy: ErrorPolicy) -> None:
    batch = [sale("1"), sale("2", currency="XXX"), sale("3", ("tea", "NaN", "1e3"))]

    with pytest.raises(ValidationFailed) as refused:
        crm.record_transactions(batch, policy=policy, create_missing_customers=True)

    assert [(p.row, p.code, p.field, p.value) for p in refused.value.problems] == [
        (1, "UNKNOWN_CURRENCY", "currency", "XXX"),
        (2, "INVALID_AMOUNT", "lines[0].quantity", "NaN"),
        (2, "INVALID_AMOUNT", "lines[0].unitPrice", "1e3"),
    ]
    assert _count(crm, Transaction) == 0


def test_good_rows_are_taken_beside_bad_ones_if_asked_for(crm: Crm) -> None:
    batch = [sale("1", customer="a"), sale("2", ("tea", 1, "x"), customer="b")]

    good, bad = crm.record_transactions(batch, policy=ROWS, create_missing_customers=True)

    assert (good.outcome, bad.outcome, bad.id) == (Outcome.TAKEN, Outcome.REJECTED, None)
    assert _count(crm, Transaction) == _count(crm, Customer) == 1


def test_a_row_rejected_late_leaves_no_customer_behind(crm: Crm) -> None:
    orphan = sale("1", ("tea", -1, 1), kind="return", original="none", customer="new")

    [result] = crm.record_transactions([orphan], policy=ROWS, create_missing_customers=True)

    assert _codes(result) == [("UNKNOWN_ORIGINAL", "original")]
    assert _count(crm, Customer) == 0


def test_customers_are_named_by_id_or_by_external_id(crm: Crm) -> None:
    [first] = crm.record_transactions([sale("1", customer="c")], create_missing_customers=True)
    with crm.read() as session:
        customer = session.exec(select(Customer.id)).one()

    [second] = crm.record_transactions([sale("2", customer=CustomerRef(id=customer))])

    with crm.read() as session:
        owners = session.exec(select(Transaction.customer_id)).all()
    assert first.id != second.id
    assert owners == [customer, customer]


@pytest.mark.parametrize(
    ("ref", "code"),
    [
        ({}, "REQUIRED"),
        ({"id": UUID(int=1), "external_id": "c"}, "AMBIGUOUS"),
        ({"id": UUID(int=1)}, "UNKNOWN_CUSTOMER"),
        ({"external_id": "c"}, "UNKNOWN_CUSTOMER"),
        ({"id": "00000000-0000-0000-0000-000000000001"}, "UNKNOWN_VALUE"),
    ],
)
def test_a_customer_that_cannot_be_found_is_a_problem(
    crm: Crm, ref: dict[str, Any], code: str
) -> None:
    [result] = crm.record_transactions([sale("1", customer=CustomerRef(**ref))], policy=ROWS)

    assert _codes(result) == [(code, "customer")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"lines": []}, ("REQUIRED", "lines")),
        ({"lines": None}, ("UNKNOWN_VALUE", "lines")),
        ({"lines": "tea"}, ("UNKNOWN_VALUE", "lines")),
        ({"lines": [None]}, ("UNKNOWN_VALUE", "lines[0]")),
        ({"lines": [LineInput("t", 1, 1)] * 5001}, ("TOO_MANY", "lines")),
        ({"lines": [LineInput("t", 1, "999999999999")] * 11}, ("INVALID_AMOUNT", "lines")),
        ({"lines": [LineInput("t", 10**9, 0)]}, ("INVALID_AMOUNT", "lines[0]")),
        ({"lines": [LineInput("t", 1, 1, discount=-1)]}, ("WRONG_SIGN", "lines[0].discount")),
        ({"lines": [LineInput("t", -1, 1)]}, ("WRONG_SIGN", "lines[0].quantity")),
        ({"kind": "return"}, ("WRONG_SIGN", "lines[0].quantity")),
        ({"kind": "void"}, ("REQUIRED", "original")),
        ({"original": "0"}, ("NOT_ALLOWED", "original")),
        ({"external_id": "x" * 201}, ("INVALID_TEXT", "externalId")),
        ({"store": "S\x00"}, ("INVALID_TEXT", "store")),
        ({"staff": "\ud800"}, ("INVALID_TEXT", "staff")),
        ({"occurred_at": "2026-06-15T12:00:00"}, ("INVALID_TIME", "occurredAt")),
    ],
)
def test_a_malformed_transaction_says_which_field_is_wrong(
    crm: Crm, change: dict[str, Any], problem: tuple[str, str]
) -> None:
    [result] = crm.record_transactions([sale("1", **change)], policy=ROWS)

    assert problem in _codes(result)
    assert _count(crm, Transaction) == 0


def test_a_batch_larger_than_every_chunk_is_recorded_whole(crm: Crm) -> None:
    batch = [sale(str(n), customer=f"c{n % 700}") for n in range(1200)]

    results = crm.record_transactions(batch, create_missing_customers=True)
    again = crm.record_transactions(batch)

    assert [result.id for result in again] == [result.id for result in results]
    assert {result.outcome for result in again} == {Outcome.KNOWN}
    assert (_count(crm, Transaction), _count(crm, Customer)) == (1200, 700)


@pytest.mark.parametrize("size", [1, 250])  # by INSERT and by COPY on PostgreSQL
def test_recorders_of_the_same_transactions_end_with_one_row_and_one_answer(
    crm: Crm, size: int
) -> None:
    batch = [sale(str(n), customer=f"c{n % 7}") for n in range(size)]
    ready, answers = Barrier(4), []

    def record() -> None:
        ready.wait()
        answers.append(crm.record_transactions(batch, create_missing_customers=True))

    _run_all([Thread(target=record) for _ in range(4)])

    assert len({tuple(result.id for result in answer) for answer in answers}) == 1
    assert sorted(answer[0].outcome for answer in answers) == ["known"] * 3 + ["taken"]
    assert _count(crm, Transaction) == size


def _run_all(threads: list[Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
