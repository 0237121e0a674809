"""Any value in any field of any input becomes a problem or is taken; nothing else happens."""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crmkit import (
    AddressInput,
    AttachInput,
    ContactInput,
    Crm,
    CustomerInput,
    CustomerRef,
    ErrorPolicy,
    InteractionInput,
    LineInput,
    Problem,
    RowResult,
    Settings,
    metrics,
)
from crmkit.customer_rules import check_customer
from crmkit.interaction_rules import check_interaction
from crmkit.migrating import upgrade
from crmkit.testing import NOON, sale
from crmkit.transaction_rules import check_transaction

AWKWARD = [
    "", " ", "\x00", "\ud800", "\udcff", "NaN", "Infinity", "1e3", "1_000", "１２", "١٢", "-1", "0",
    "9" * 30, "x" * 1_000_000, " " * 1_000_000 + "x", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "2026-02-30", "🧾" * 300, "a@b.com", "+8613800138000", "sale", "CNY",
    10**5000, 2**63, -(2**63), 0, 1, -1, 0.0, 1.5, float("nan"), float("inf"), True, False, None,
    b"\xff", (), [], {}, [None], [[]], {"a": [1]}, {1: 2}, Decimal("NaN"), Decimal("1E+999999"),
    UUID(int=0), NOON, NOON.replace(tzinfo=None), date(1, 1, 1), object(), Exception,
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
ANY = st.sampled_from(AWKWARD) | JSON | st.text(st.characters(), max_size=20)
KINDS = ["sale", "return", "exchange", "void", "adjustment"]


def fields_of(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def spoilt(made: Any, *more: str) -> st.SearchStrategy[Any]:
    """Return inputs like `made` in which one or two fields hold anything at all."""
    names = st.lists(st.sampled_from([*fields_of(type(made)), *more]), min_size=1, max_size=2)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries(dict.fromkeys(chosen, ANY)).map(
            lambda values: dataclasses.replace(made, **values)
        )
    )


REFS = st.just(CustomerRef(external_id="c")) | spoilt(CustomerRef(external_id="c"))
LINES = spoilt(LineInput("tea", 1, "2.50", category="drinks"))
SALES = (
    spoilt(sale("1", customer="c"))
    | st.builds(lambda line, kind: sale("1", line, kind=kind), LINES, st.sampled_from(KINDS))
    | st.builds(lambda ref: sale("1", customer=ref), REFS)
)
INTERACTION = InteractionInput("web", "1", NOON, "search", payload={"query": "tea"})
INTERACTIONS = (
    spoilt(INTERACTION)
    | st.builds(lambda ref: dataclasses.replace(INTERACTION, customer=ref), REFS)
    | st.builds(lambda any_: dataclasses.replace(INTERACTION, payload={"query": any_}), ANY)
)
CUSTOMER = CustomerInput("crm", "1")
CUSTOMERS = (
    spoilt(CUSTOMER)
    | st.builds(
        lambda contact: dataclasses.replace(CUSTOMER, contact_points=[contact]),
        st.sampled_from(["phone", "email", "social"]).flatmap(
            lambda kind: spoilt(ContactInput(kind, "@a"))
        ),
    )
    | st.builds(
        lambda address: dataclasses.replace(CUSTOMER, addresses=[address]), spoilt(AddressInput())
    )
    | st.builds(lambda tag: dataclasses.replace(CUSTOMER, tags=[tag]), ANY)
)
ATTACHMENTS = spoilt(AttachInput("till", "1", CustomerRef(external_id="c"))) | st.builds(
    lambda ref: AttachInput("till", "1", ref), REFS
)


def assert_shown(problems: Sequence[Problem], row: int) -> None:
    """Every problem names its row and code, and can be sent to whoever asked."""
    for problem in problems:
        assert problem.row == row
        assert problem.code.isupper()
        assert problem.message
        assert len(problem.value or "") <= 1000
        orjson.dumps(problem._asdict())


@settings(max_examples=400, deadline=None)
@given(SALES)
def test_a_transaction_is_read_or_explained(given_: Any) -> None:
    answer = check_transaction(3, given_, ZoneInfo("Asia/Shanghai"))

    if not hasattr(answer, "fingerprint"):
        assert answer
        assert_shown(answer, 3)


@settings(max_examples=400, deadline=None)
@given(CUSTOMERS)
def test_a_customer_is_read_or_explained(given_: Any) -> None:
    answer = check_customer(3, given_, "CN", date(2026, 6, 15))

    if not hasattr(answer, "fields"):
        assert answer
        assert_shown(answer, 3)


@settings(max_examples=400, deadline=None)
@given(INTERACTIONS)
def test_an_interaction_is_read_or_explained(given_: Any) -> None:
    from crmkit.builtin import register_interaction_kinds

    kinds = {kind.name: kind for kind in register_interaction_kinds()}

    answer = check_interaction(3, given_, kinds)

    if not hasattr(answer, "fingerprint"):
        assert answer
        assert_shown(answer, 3)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """Give one application on SQLite, used by every example."""
    folder: Path = tmp_path_factory.mktemp("shop")
    with Crm(Settings.load(folder, plugins=())) as crm:
        upgrade(crm.database, crm.registry)
        crm.upsert_customers([CustomerInput("till", "c"), CustomerInput("web", "c")])
        crm.record_transactions([sale("0")])
        yield crm


def assert_answered(results: Sequence[RowResult], batch: Sequence[Any]) -> None:
    assert [each.row for each in results] == list(range(len(batch)))
    for each in results:
        assert bool(each.problems) == (each.outcome == "rejected")
        assert_shown(each.problems, each.row)


CALM = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@CALM
@given(st.lists(SALES, min_size=1, max_size=3))
@example([sale("1", store="\ud800"), sale("2")])
def test_recording_any_transactions_answers_each_row(shop: Crm, batch: list[Any]) -> None:
    results = shop.record_transactions(
        batch, policy=ErrorPolicy.REJECT_ROWS, create_missing_customers=True
    )

    assert_answered(results, batch)
    with shop.read() as session:
        assert metrics.check(session) == []


@CALM
@given(st.lists(INTERACTIONS, min_size=1, max_size=3))
def test_recording_any_interactions_answers_each_row(shop: Crm, batch: list[Any]) -> None:
    results = shop.record_interactions(batch, policy=ErrorPolicy.REJECT_ROWS)

    assert_answered(results, batch)


@CALM
@given(st.lists(CUSTOMERS, min_size=1, max_size=3))
def test_upserting_any_customers_answers_each_row(shop: Crm, batch: list[Any]) -> None:
    results = shop.upsert_customers(batch, policy=ErrorPolicy.REJECT_ROWS)

    assert_answered(results, batch)


@CALM
@given(st.lists(ATTACHMENTS, min_size=1, max_size=3))
def test_attaching_anything_answers_each_row(shop: Crm, batch: list[Any]) -> None:
    results = shop.attach_transactions(batch, policy=ErrorPolicy.REJECT_ROWS)

    assert_answered(results, batch)
