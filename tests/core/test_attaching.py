"""Anonymous sales that get a buyer later, and count from then on as if they always had one."""

from typing import Any

import pytest
from sqlmodel import select

from crmkit import (
    AttachInput,
    Crm,
    CustomerRef,
    ErrorPolicy,
    ValidationFailed,
    hookimpl,
    metrics,
)
from crmkit.batches import TransactionBatch
from crmkit.manifest import Plugin
from crmkit.models import Customer, CustomerMetrics, Transaction
from crmkit.testing import CrmFactory, sale

ROWS = ErrorPolicy.REJECT_ROWS


def mine(external_id: Any, customer: Any = "c", source: Any = "till") -> AttachInput:
    ref = CustomerRef(external_id=customer) if isinstance(customer, str) else customer
    return AttachInput(source, external_id, ref)


def linked(kind: str, external_id: str, original: str, *lines: Any) -> Any:
    return sale(external_id, *lines, kind=kind, original=original)


def record(crm: Crm, *batch: Any) -> None:
    crm.record_transactions(batch, create_missing_customers=True)


def attach(crm: Crm, *inputs: AttachInput) -> list[str]:
    """Attach and return, for each row, its outcome or the code of its first problem."""
    results = crm.attach_transactions(inputs, policy=ROWS)
    with crm.read() as session:
        assert metrics.check(session) == []
    return [each.problems[0].code if each.problems else str(each.outcome) for each in results]


def owners(crm: Crm) -> dict[str, bool]:
    """Tell for each transaction whether it has a customer."""
    with crm.read() as session:
        found = session.exec(select(Transaction.external_id, Transaction.customer_id))
        return {name: owner is not None for name, owner in found}


def test_an_anonymous_sale_counts_once_it_has_a_customer(crm: Crm) -> None:
    record(crm, sale("a", store="S"), sale("0", customer="c"))

    codes = [*attach(crm, mine("a")), *attach(crm, mine("a"))]

    with crm.read() as session:
        figures = session.exec(select(CustomerMetrics)).one()
    assert codes == ["taken", "known"]
    assert (figures.sale_count, figures.net_minor, figures.purchase_day_count) == (2, 2000, 1)


def test_a_prospect_becomes_a_customer_by_what_is_attached(crm: Crm) -> None:
    record(crm, sale("0", ("tea", -1, 1), kind="return", customer="c"), sale("a"))

    attach(crm, mine("a"))

    with crm.read() as session:
        assert session.exec(select(Customer.lifecycle)).one() == "customer"


def test_everything_that_hangs_on_a_sale_follows_it(crm: Crm) -> None:
    record(crm, sale("0", customer="c"), sale("a", ("tea", 3, 1)), sale("b"))
    record(
        crm,
        linked("return", "r", "a", ("tea", -1, 1)),
        linked("exchange", "x", "a", ("tea", -1, 1), ("cup", 1, 2)),
    )
    record(crm, linked("return", "q", "x", ("cup", -1, 2)), _void("v", "r"))

    assert attach(crm, mine("a")) == ["taken"]

    assert owners(crm) == {**dict.fromkeys("0arxqv", True), "b": False}


def _void(external_id: str, original: str) -> Any:
    return sale(external_id, kind="void", original=original, lines=[])


def test_a_voided_sale_never_counts(crm: Crm) -> None:
    record(crm, sale("0", customer="c"), sale("a"))
    record(crm, _void("v", "a"))

    codes = attach(crm, mine("v"), mine("a"), mine("v"))

    assert codes == ["NOT_ALLOWED", "taken", "NOT_ALLOWED"]
    assert owners(crm)["v"]


def test_what_comes_back_after_attaching_belongs_to_the_customer(crm: Crm) -> None:
    record(crm, sale("0", customer="c"), sale("a"))
    attach(crm, mine("a"))

    record(crm, linked("return", "r", "a", ("tea", -1, "10")))

    with crm.read() as session:
        figures = session.exec(select(CustomerMetrics)).one()
    assert (figures.net_minor, figures.return_count) == (1000, 1)


def test_a_transaction_is_given_away_once(crm: Crm) -> None:
    record(crm, sale("0", customer="c"), sale("1", customer="d"), sale("a"), sale("b"))

    first = attach(crm, mine("a", "d"), mine("b", "c"), mine("b", "c"), mine("b", "d"))
    later = attach(crm, mine("a", "c"), mine("1", "c"))

    assert first == ["taken", "taken", "known", "ALREADY_ATTACHED"]
    assert later == ["ALREADY_ATTACHED", "ALREADY_ATTACHED"]


def test_a_return_named_by_itself_goes_where_it_was_told(crm: Crm) -> None:
    record(crm, sale("0", customer="c"), sale("1", customer="d"), sale("a", ("tea", 1, 1)))
    record(crm, linked("return", "r", "a", ("tea", -1, 1)))

    attach(crm, mine("a", "c"), mine("r", "d"))

    with crm.read() as session:
        rows = session.exec(select(Transaction.external_id, Transaction.customer_id))
        owner: dict[str, Any] = dict(rows.all())
    assert (owner["a"], owner["r"]) == (owner["0"], owner["1"])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (mine("none"), "UNKNOWN_TRANSACTION"),
        (mine("a", "nobody"), "UNKNOWN_CUSTOMER"),
        (mine("a", CustomerRef()), "REQUIRED"),
        (AttachInput("till", "a", None), "REQUIRED"),  # type: ignore[arg-type]
        (AttachInput("till", "a", "c"), "UNKNOWN_VALUE"),  # type: ignore[arg-type]
        (mine(None), "REQUIRED"),
        (mine("a", source=["till"]), "INVALID_TEXT"),
        (mine("a\x00"), "INVALID_TEXT"),
    ],
)
def test_what_cannot_be_attached_is_a_problem(crm: Crm, given: AttachInput, code: str) -> None:
    record(crm, sale("0", customer="c"), sale("a"))

    assert attach(crm, given) == [code]


def test_one_bad_row_leaves_everything_anonymous(crm: Crm) -> None:
    record(crm, sale("0", customer="c"), sale("a"))

    with pytest.raises(ValidationFailed):
        crm.attach_transactions([mine("a"), mine("none")])

    assert owners(crm) == {"0": True, "a": False}


class Listener:
    """Keeps what it is told."""

    plugin = Plugin(name="listener", version="1", summary="Listens.")

    def __init__(self) -> None:
        self.heard: list[TransactionBatch] = []

    @hookimpl
    def transactions_attached(self, batch: TransactionBatch) -> None:
        self.heard.append(batch)


def test_plugins_hear_of_all_that_changed_in_the_order_it_happened(
    crm_factory: CrmFactory,
) -> None:
    listener = Listener()
    crm = crm_factory(listener)
    record(crm, sale("0", customer="c"), sale("a"))
    record(crm, _void("v", "a"))

    attach(crm, mine("a"))
    attach(crm, mine("a"))

    [batch] = listener.heard
    assert [each.external_id for each in batch.transactions] == ["a", "v"]
    assert all(each.customer_id for each in batch.transactions)
    assert batch.transactions[0].lines[0].sku == "tea"
