"""Key figures per customer: moved with every batch, and always what a rebuild would give."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import col, select, update

from crmkit import (
    AttachInput,
    Crm,
    CustomerRef,
    ErrorPolicy,
    LineInput,
    metrics,
    table_of,
)
from crmkit.models import (
    CustomerCategoryMetrics,
    CustomerDay,
    CustomerMetrics,
    CustomerStoreMetrics,
    Transaction,
)
from crmkit.testing import NOON, sale


def only(crm: Crm, model: Any) -> Any:
    with crm.read() as session:
        return session.exec(select(model)).one()


def record(crm: Crm, *batch: Any) -> None:
    crm.record_transactions(batch, create_missing_customers=True)


def test_figures_of_a_small_life(crm: Crm) -> None:
    day = timedelta(days=1)
    record(
        crm,
        sale("1", LineInput("tea", 3, 10, category="drinks"), customer="c", store="S"),
        sale("2", LineInput("cup", 1, "5.50", category="ware"), customer="c", store="S"),
        sale("3", customer="c", occurred_at=NOON + day),
        sale("4", ("tea", -1, 10), customer="c", kind="return", original="1"),
        sale("5", ("loss", -9, 1), customer="c", kind="adjustment"),
    )

    figures = only(crm, CustomerMetrics)

    assert (figures.sale_count, figures.return_count, figures.purchase_day_count) == (3, 1, 2)
    assert (figures.net_minor, figures.returned_minor) == (3000 + 550 + 1000 - 1000, 1000)
    assert figures.quantity_milli == (3 + 1 + 1 - 1) * 1000
    assert (figures.first_sale_at, figures.last_sale_at) == (NOON, NOON + day)


def test_each_category_and_store_has_its_share(crm: Crm) -> None:
    post = LineInput("post", 1, 5, kind="shipping", category="drinks")
    record(
        crm, sale("1", LineInput("tea", 2, 10, category="drinks"), post, customer="c", store="S")
    )

    category, store = only(crm, CustomerCategoryMetrics), only(crm, CustomerStoreMetrics)

    assert (category.category, category.net_minor, category.line_count) == ("drinks", 2000, 1)
    assert (store.store, store.net_minor, store.sale_count) == ("S", 2500, 1)


def test_currencies_are_never_added_up(crm: Crm) -> None:
    record(crm, sale("1", customer="c"), sale("2", ("tea", 1, 10), customer="c", currency="JPY"))

    with crm.read() as session:
        found = select(CustomerMetrics.currency, CustomerMetrics.net_minor)
        assert sorted(session.exec(found)) == [("CNY", 1000), ("JPY", 10)]


def test_a_sale_that_arrives_late_moves_the_first_purchase_and_its_day(crm: Crm) -> None:
    record(crm, sale("1", customer="c"))

    record(crm, sale("2", customer="c", occurred_at=NOON - timedelta(days=400)))

    figures = only(crm, CustomerMetrics)
    assert (figures.first_sale_at, figures.last_sale_at) == (NOON - timedelta(days=400), NOON)
    assert figures.purchase_day_count == 2


def test_the_check_names_the_row_that_was_tampered_with(crm: Crm) -> None:
    record(crm, sale("1", customer="c"), sale("2", customer="d"))
    victim = crm.write(lambda session: session.exec(select(CustomerDay.customer_id)).first())
    change = update(CustomerDay).where(col(CustomerDay.customer_id) == victim)
    crm.write(lambda session: session.execute(change.values(net_minor=1)))

    with crm.read() as session:
        [difference] = metrics.check(session)

    assert (difference.table, str(victim) in difference.key) == ("customer_day", True)
    assert difference.stored is not None
    assert difference.expected is not None
    assert (difference.stored["net_minor"], difference.expected["net_minor"]) == (1, 1000)


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_a_rebuild_mends_what_the_check_finds(crm: Crm, change: str) -> None:
    record(crm, sale("1", customer="c"))
    with crm.read() as session:
        row = session.exec(select(CustomerMetrics)).one()
    other = CustomerMetrics(customer_id=row.customer_id, currency="GBP", net_minor=1)
    crm.write(lambda session: session.add(other) if change == "extra" else session.delete(row))

    with crm.read() as session:
        [difference] = metrics.check(session)
    crm.write(metrics.rebuild)

    assert (difference.stored is None) == (change == "missing")
    assert (difference.expected is None) == (change == "extra")
    with crm.read() as session:
        assert metrics.check(session) == []


class History(RuleBasedStateMachine):
    """Random histories of sales, returns, exchanges, voids and attachments."""

    crm: Crm
    clear: Any

    @initialize()
    def empty(self) -> None:
        self.crm = type(self).clear()
        self.sent: list[Any] = []

    def _record(self, *batch: Any) -> None:
        self.sent += batch
        self.crm.record_transactions(
            batch, policy=ErrorPolicy.REJECT_ROWS, create_missing_customers=True
        )

    def _name(self, offset: int = 0) -> str:
        return str(len(self.sent) + offset)

    @rule(data=st.data(), size=st.integers(1, 3))
    def sell(self, data: Any, size: int) -> None:
        self._record(*(data.draw(sales(self._name(n))) for n in range(size)))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), kind=st.sampled_from(["return", "exchange"]))
    def bring_back(self, data: Any, kind: str) -> None:
        original = data.draw(st.sampled_from(self.sent))
        self._record(data.draw(returns(self._name(), kind, original)))

    @rule(data=st.data())
    def sell_and_bring_back_at_once(self, data: Any) -> None:
        bought = data.draw(sales(self._name(1)))
        self._record(data.draw(returns(self._name(), "return", bought)), bought)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), size=st.integers(1, 2))
    def undo(self, data: Any, size: int) -> None:
        named = [data.draw(st.sampled_from(self.sent)) for _ in range(size)]
        self._record(*(void(self._name(n), each) for n, each in enumerate(named)))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), customer=st.sampled_from("abc"), size=st.integers(1, 3))
    def attach(self, data: Any, customer: str, size: int) -> None:
        ref = CustomerRef(external_id=customer)
        named = [data.draw(st.sampled_from(self.sent)) for _ in range(size)]
        inputs = [AttachInput("till", each.external_id, ref) for each in named]
        self.crm.attach_transactions(inputs, policy=ErrorPolicy.REJECT_ROWS)

    @invariant()
    def figures_are_what_a_rebuild_gives(self) -> None:
        if hasattr(self, "sent"):
            with self.crm.read() as session:
                assert metrics.check(session) == []


LINES = st.lists(
    st.builds(
        LineInput,
        sku=st.sampled_from(["tea", "cup"]),
        quantity=st.integers(1, 3),
        unit_price=st.integers(0, 3),
        kind=st.sampled_from(["product", "product", "shipping"]),
        category=st.sampled_from([None, "drinks", "ware"]),
    ),
    min_size=1,
    max_size=3,
)
BUYERS = st.sampled_from([None, "a", "b", "c"])
TIMES = st.integers(-60, 60).map(lambda hours: NOON + timedelta(hours=hours))


def sales(name: str) -> st.SearchStrategy[Any]:
    """Draw a sale."""
    return st.builds(
        lambda lines, **values: sale(name, *lines, **values),
        lines=LINES,
        currency=st.sampled_from(["CNY", "JPY"]),
        customer=BUYERS,
        store=st.sampled_from([None, "S", "T"]),
        occurred_at=TIMES,
    )


@st.composite
def returns(draw: Any, name: str, kind: str, original: Any) -> Any:
    """Draw a transaction that brings back some lines of another, and may give others out."""
    back = draw(st.lists(st.sampled_from(list(original.lines) or ["none"]), min_size=1, max_size=2))
    lines = [
        dataclasses.replace(line, quantity=-draw(st.integers(1, 2)))
        for line in back
        if isinstance(line, LineInput)
    ]
    given = draw(LINES) if kind == "exchange" else []
    values = {"currency": original.currency, "customer": draw(BUYERS), "occurred_at": draw(TIMES)}
    return sale(name, *lines, *given, kind=kind, original=original.external_id, **values)


def void(name: str, original: Any) -> Any:
    """Return what undoes another transaction."""
    values = {"lines": [], "currency": original.currency}
    return sale(name, kind="void", original=original.external_id, **values)


def _forget(crm: Crm) -> Crm:
    def clear(session: Any) -> None:
        session.execute(update(Transaction).values(original_id=None, kind="sale"))
        for loaded in crm.registry.plugins:
            for model in reversed(loaded.models):
                session.execute(table_of(model).delete())

    crm.write(clear)
    return crm


def _run(crm: Crm, examples: int, steps: int) -> None:
    machine = type("OneHistory", (History,), {"clear": staticmethod(lambda: _forget(crm))})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_history_leaves_the_figures_of_a_rebuild(crm: Crm) -> None:
    is_sqlite = crm.database.dialect == "sqlite"

    _run(crm, examples=12 if is_sqlite else 6, steps=15 if is_sqlite else 10)

    with crm.read() as session:
        assert metrics.check(session) == []
