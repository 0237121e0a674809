"""What hooks and services may do in a session that is not theirs."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from crmkit import (
    Crm,
    CustomerInput,
    CustomerRef,
    ErrorPolicy,
    InteractionInput,
    Outcome,
    Plugin,
    Refusal,
    TransactionBatch,
    ValidationFailed,
    hookimpl,
    new_id,
)
from crmkit.errors import HookFailed, SessionMisused
from crmkit.models import CustomerMetrics, CustomerTag, Transaction
from crmkit.testing import CrmFactory, sale


def made(**hooks: Callable[..., Any]) -> Any:
    plugin = Plugin(name="ant", version="1", summary="For a test.")
    return SimpleNamespace(plugin=plugin, **{name: hookimpl(each) for name, each in hooks.items()})


def stored(crm: Crm) -> int:
    with crm.read() as session:
        return session.scalar(select(func.count()).select_from(Transaction)) or 0


@pytest.mark.parametrize("misuse", ["commit", "rollback", "close"])
def test_a_hook_that_ends_the_session_undoes_the_whole_write(
    crm_factory: CrmFactory, misuse: str
) -> None:
    def transactions_recorded(session: Session) -> None:
        getattr(session, misuse)()

    crm = crm_factory(made(transactions_recorded=transactions_recorded))

    with pytest.raises(HookFailed, match=r"'ant'.*SessionMisused"):
        crm.record_transactions([sale("T1")])

    assert stored(crm) == 0


def test_a_hook_may_use_a_savepoint(crm_factory: CrmFactory) -> None:
    def transactions_recorded(session: Session) -> None:
        with session.begin_nested() as savepoint:
            session.connection().exec_driver_sql("DELETE FROM transaction_line")
            savepoint.rollback()

    crm = crm_factory(made(transactions_recorded=transactions_recorded))

    assert crm.record_transactions([sale("T1")])[0].outcome is Outcome.TAKEN


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_itself(crm: Crm) -> None:
    with pytest.raises(SessionMisused, match="hand the session on"):
        crm.write(lambda _: crm.record_transactions([sale("T1")]))

    assert crm.record_transactions([sale("T1")])[0].outcome is Outcome.TAKEN


def test_services_can_join_one_write_and_fail_together(crm: Crm) -> None:
    def both(session: Session) -> None:
        crm.upsert_customers([CustomerInput("till", "c1")], session=session)
        mine = sale("T1", customer=CustomerRef(external_id="c1"))
        crm.record_transactions([mine], session=session)
        raise LookupError

    with pytest.raises(LookupError):
        crm.write(both)

    assert stored(crm) == 0


def test_a_check_can_refuse_one_sale_and_let_the_others_through(crm_factory: CrmFactory) -> None:
    def check_transactions(batch: TransactionBatch) -> Sequence[Refusal]:
        return [
            Refusal(each.id, "TOO_YOUNG", "not for minors", "lines[0].sku")
            for each in batch.transactions
            if each.external_id == "T2"
        ]

    crm = crm_factory(made(check_transactions=check_transactions))
    crm.record_transactions([sale("T0")])

    batch = [sale("T0"), sale("T1"), sale("T2"), sale("T3")]
    results = crm.record_transactions(batch, policy=ErrorPolicy.REJECT_ROWS)

    assert [each.outcome.value for each in results] == ["known", "taken", "rejected", "taken"]
    [problem] = results[2].problems
    assert (problem.code, problem.row, problem.field) == ("TOO_YOUNG", 2, "lines[0].sku")


def test_a_refused_sale_refuses_the_batch_unless_rows_may_go_alone(crm_factory: CrmFactory) -> None:
    def check_transactions(batch: TransactionBatch) -> Sequence[Refusal]:
        return [Refusal(batch.transactions[0].id, "NO", "not today")]

    crm = crm_factory(made(check_transactions=check_transactions))

    with pytest.raises(ValidationFailed, match="not today"):
        crm.record_transactions([sale("T1"), sale("T2")])

    assert stored(crm) == 0


def test_hooks_read_what_was_just_written_and_not_what_they_read_before(
    crm_factory: CrmFactory,
) -> None:
    seen: list[int] = []

    def read(session: Session) -> None:
        rows = session.exec(select(CustomerMetrics)).all()
        seen.extend(row.sale_count for row in rows)

    def check_transactions(session: Session) -> None:
        read(session)

    def transactions_recorded(session: Session) -> None:
        read(session)

    plugin = made(
        check_transactions=check_transactions, transactions_recorded=transactions_recorded
    )
    crm = crm_factory(plugin)
    crm.upsert_customers([CustomerInput("till", "c1")])
    for name in ("T1", "T2"):
        crm.record_transactions([sale(name, customer=CustomerRef(external_id="c1"))])

    assert seen == [1, 1, 2]


def test_a_row_that_a_hook_cannot_write_is_reported_under_its_name(crm_factory: CrmFactory) -> None:
    def transactions_recorded(session: Session) -> None:
        session.add(CustomerTag(customer_id=new_id(), tag="x"))

    crm = crm_factory(made(transactions_recorded=transactions_recorded))

    with pytest.raises(HookFailed, match="'ant'"):
        crm.record_transactions([sale("T1")])


def test_hooks_are_told_who_asked_and_what_was_sent(crm_factory: CrmFactory) -> None:
    told: list[Any] = []

    def interactions_recorded(batch: Any) -> None:
        told.append((batch.actor, batch.interactions[0].payload))

    crm = crm_factory(made(interactions_recorded=interactions_recorded))
    search = InteractionInput(
        "web", "i1", "2026-01-01T00:00:00Z", "search", payload={"query": "tea"}
    )
    crm.record_interactions([search], actor="kiosk")

    assert told == [("kiosk", {"query": "tea"})]
    with crm.read() as session:
        assert session.exec(select(col(Transaction.id))).all() == []
