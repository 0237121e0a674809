"""Recording interactions: idempotent, of registered kinds, with clean payloads."""

from typing import Any

import pytest
from sqlmodel import select

from crmkit import (
    Crm,
    CustomerInput,
    CustomerRef,
    ErrorPolicy,
    InteractionInput,
    InteractionKind,
    Outcome,
    ValidationFailed,
    hookimpl,
)
from crmkit.batches import InteractionBatch
from crmkit.manifest import Plugin
from crmkit.models import Interaction
from crmkit.testing import NOON, CrmFactory, sale

ROWS = ErrorPolicy.REJECT_ROWS


def note(external_id: Any = "1", **fields: Any) -> InteractionInput:
    values = {"source": "desk", "occurred_at": NOON, "kind": "note", **fields}
    return InteractionInput(external_id=external_id, **values)


def record(crm: Crm, *inputs: InteractionInput) -> list[str]:
    """Record and return, for each row, its outcome or the code of its first problem."""
    results = crm.record_interactions(inputs, policy=ROWS)
    return [each.problems[0].code if each.problems else str(each.outcome) for each in results]


def test_an_interaction_is_stored_as_it_was_sent(crm: Crm) -> None:
    crm.upsert_customers([CustomerInput("desk", "c")])
    crm.record_transactions([sale("s", source="desk")])
    given = note(
        kind="search", customer=CustomerRef(external_id="c"), transaction=" s ", content=" 你好 ",
        channel="app", direction="outbound", payload={"query": "tea ☕", "results": [1, None, 2.5]},
    )  # fmt: skip

    crm.record_interactions([given])

    with crm.read() as session:
        stored = session.exec(select(Interaction)).one()
    assert (stored.kind, stored.content, stored.direction) == ("search", "你好", "outbound")
    assert stored.payload == {"query": "tea ☕", "results": [1, None, 2.5]}
    assert None not in (stored.customer_id, stored.transaction_id)


def test_the_same_interaction_again_changes_nothing(crm: Crm) -> None:
    [first] = crm.record_interactions([note(kind="cart", payload={"action": "a", "quantity": 1})])

    [again] = crm.record_interactions(
        [note(" 1 ", kind="cart", payload={"quantity": 1, "action": "a"}, subject=" ")]
    )

    assert (again.outcome, again.id) == (Outcome.KNOWN, first.id)


def test_other_content_under_a_known_external_id_is_a_conflict(crm: Crm) -> None:
    first = record(crm, note(), note(), note(subject="x"), note("2"))
    later = record(crm, note(content="other"), note())

    assert first == ["taken", "known", "EXTERNAL_ID_CONFLICT", "taken"]
    assert later == ["EXTERNAL_ID_CONFLICT", "known"]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"kind": "dance"}, "UNKNOWN_VALUE", "kind"),
        ({"kind": ["note"]}, "UNKNOWN_VALUE", "kind"),
        ({"source": ["desk"]}, "INVALID_TEXT", "source"),
        ({"direction": {}}, "UNKNOWN_VALUE", "direction"),
        ({"rating": 5}, "NOT_ALLOWED", "rating"),
        ({"kind": "review", "rating": 6}, "UNKNOWN_VALUE", "rating"),
        ({"kind": "review", "rating": True}, "UNKNOWN_VALUE", "rating"),
        ({"content": "x" * 20_001}, "INVALID_TEXT", "content"),
        ({"content": "\x00"}, "INVALID_TEXT", "content"),
        ({"transaction": "none"}, "UNKNOWN_TRANSACTION", "transaction"),
        ({"customer": CustomerRef(external_id="x")}, "UNKNOWN_CUSTOMER", "customer"),
        ({"payload": []}, "UNKNOWN_VALUE", "payload"),
        ({"payload": {"a": 1}}, "NOT_ALLOWED", "payload"),
        ({"kind": "cart", "payload": {"action": float("nan")}}, "INVALID_PAYLOAD", "payload"),
        ({"kind": "cart", "payload": {"action": 2**63}}, "INVALID_PAYLOAD", "payload"),
        ({"kind": "cart", "payload": {"action": "\x00"}}, "INVALID_PAYLOAD", "payload"),
        ({"kind": "cart", "payload": {"action": "\ud800"}}, "INVALID_PAYLOAD", "payload"),
        ({"kind": "cart", "payload": {"action": NOON}}, "INVALID_PAYLOAD", "payload"),
        ({"kind": "cart", "payload": {1: 1, "a": 2}}, "INVALID_PAYLOAD", "payload"),
        ({"kind": "cart", "payload": {"action": "x" * 20_001}}, "INVALID_PAYLOAD", "payload"),
    ],
)
def test_a_malformed_interaction_says_which_field_is_wrong(
    crm: Crm, fields: dict[str, Any], code: str, field: str
) -> None:
    [result] = crm.record_interactions([note(**fields)], policy=ROWS)

    assert (code, field) in [(problem.code, problem.field) for problem in result.problems]


def test_a_payload_as_deep_as_a_well_is_refused(crm: Crm) -> None:
    payload: dict[str, Any] = {}
    for _ in range(5000):
        payload = {"query": payload}

    assert record(crm, note(kind="search", payload=payload)) == ["INVALID_PAYLOAD"]


def test_one_bad_interaction_refuses_the_batch(crm: Crm) -> None:
    with pytest.raises(ValidationFailed):
        crm.record_interactions([note("1"), note("2", kind="?")])

    with crm.read() as session:
        assert session.exec(select(Interaction)).all() == []


class Visits:
    """Understands one kind more, and keeps what it is told."""

    plugin = Plugin(name="visits", version="1", summary="Knows fittings.")

    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def register_interaction_kinds(self) -> list[InteractionKind]:
        return [InteractionKind("fitting", "The customer tried something on.", None, True)]

    @hookimpl
    def interactions_recorded(self, batch: InteractionBatch) -> None:
        self.heard += [each.external_id for each in batch.interactions]


def test_a_plugin_adds_kinds_and_hears_of_new_interactions_only(crm_factory: CrmFactory) -> None:
    visits = Visits()
    crm = crm_factory(visits)

    record(crm, note("1", kind="fitting", rating=5, payload={"any": {"thing": [True]}}))
    record(crm, note("1", kind="fitting", rating=5, payload={"any": {"thing": [True]}}), note("2"))

    assert visits.heard == ["1", "2"]
