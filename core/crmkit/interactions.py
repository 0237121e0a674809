"""Recording interactions: the only code that writes them."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from crmkit.batches import InteractionBatch, RecordedInteraction
from crmkit.bulk import insert_rows
from crmkit.checking import TEXT_MAX, Row
from crmkit.columns import wire_instant
from crmkit.contributions import InteractionKind
from crmkit.customer_lookup import Name, find_customers
from crmkit.ids import new_id
from crmkit.inputs import ErrorPolicy, InteractionInput, Outcome, RowResult
from crmkit.models import Direction, Interaction, Transaction
from crmkit.outcomes import Outcomes
from crmkit.plugins import PluginRegistry

_COLUMNS = (*RecordedInteraction._fields, "payload", "recorded_at", "fingerprint")
_PAYLOAD_BYTES_MAX = 20_000
_CHUNK = 500


def record_interactions(
    session: Session,
    registry: PluginRegistry,
    inputs: Sequence[InteractionInput],
    *,
    now: datetime,
    policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
) -> list[RowResult]:
    """Write interactions and tell the plugins.

    Repeats change nothing, as with transactions.

    Raises:
        ValidationFailed: a row is wrong and the policy is REJECT_BATCH; nothing was written.
    """
    outcomes = Outcomes()
    rows = [Row(number) for number in range(len(inputs))]
    names = [
        row.customer_ref(each.customer, each.source) for row, each in zip(rows, inputs, strict=True)
    ]
    customers = find_customers(session, names)
    transactions = _ids(
        session, Transaction, [(i.source, i.transaction) for i in inputs if i.transaction]
    )
    stored = _ids(session, Interaction, [(each.source, each.external_id) for each in inputs])
    fresh: dict[tuple[str, str], tuple[Any, ...]] = {}
    for row, each, name in zip(rows, inputs, names, strict=True):
        if name is not None and name not in customers:
            row.fail("UNKNOWN_CUSTOMER", "there is no such customer", "customer", name)
        checked = _check(
            row, each, registry.interaction_kinds, customers.get(name) if name else None
        )
        if each.transaction and (each.source, each.transaction) not in transactions:
            row.fail(
                "UNKNOWN_TRANSACTION",
                "there is no such transaction",
                "transaction",
                each.transaction,
            )
        if row.problems or checked is None:
            outcomes.reject(row.number, row.problems)
            continue
        linked = transactions.get((each.source, each.transaction or ""), (None, ""))[0]
        fingerprint = _print(each, checked.occurred_at, name)
        checked = checked._replace(transaction_id=linked)
        _settle(row, checked, each, fingerprint, stored, fresh, outcomes)
    outcomes.enforce(policy)
    _write(session, registry, list(fresh.values()), now)
    return outcomes.in_order()


def _check(
    row: Row, each: InteractionInput, kinds: Mapping[str, InteractionKind], customer_id: UUID | None
) -> RecordedInteraction | None:
    kind = kinds.get(each.kind) if isinstance(each.kind, str) else None
    if kind is None:
        row.fail("UNKNOWN_VALUE", f"use one of: {', '.join(sorted(kinds))}", "kind", each.kind)
    else:
        _check_kind(row, each, kind)
    occurred_at = row.instant("occurredAt", each.occurred_at)
    found = RecordedInteraction(
        id=new_id(),
        kind=each.kind,
        source=row.required_text("source", each.source),
        external_id=row.required_text("externalId", each.external_id),
        customer_id=customer_id,
        occurred_at=occurred_at or datetime.min,  # noqa: DTZ901 never stored: a problem was noted
        channel=row.text("channel", each.channel),
        direction=row.choice("direction", each.direction, Direction),
        subject=row.text("subject", each.subject),
        content=row.text("content", each.content, TEXT_MAX),
        rating=each.rating,
        sku=row.text("sku", each.sku),
        transaction_id=None,
        staff=row.text("staff", each.staff),
    )
    return None if row.problems else found


def _check_kind(row: Row, each: InteractionInput, kind: InteractionKind) -> None:
    if each.rating is not None:
        if not kind.has_rating:
            row.fail("NOT_ALLOWED", f"a {kind.name} has no rating", "rating", each.rating)
        elif type(each.rating) is not int or not 1 <= each.rating <= 5:
            row.fail("UNKNOWN_VALUE", "a rating is 1, 2, 3, 4 or 5", "rating", each.rating)
    if each.payload is None:
        return
    if not isinstance(each.payload, Mapping):
        row.fail("UNKNOWN_VALUE", "a payload is a JSON object", "payload", each.payload)
        return
    unknown = sorted(set(each.payload) - kind.payload_keys) if kind.payload_keys is not None else []
    if unknown:
        row.fail("NOT_ALLOWED", f"a {kind.name} takes no {unknown[0]!r}", "payload", unknown[0])
    try:
        size = len(orjson.dumps(each.payload))
    except TypeError as error:
        row.fail("UNKNOWN_VALUE", f"not JSON: {error}", "payload")
    else:
        if size > _PAYLOAD_BYTES_MAX:
            row.fail("TOO_LONG", f"at most {_PAYLOAD_BYTES_MAX} bytes of JSON", "payload", size)


def _ids(
    session: Session,
    model: type[Transaction] | type[Interaction],
    keys: Sequence[tuple[str, str | None]],
) -> dict[tuple[str, str], tuple[UUID, str]]:
    found = {}
    for start in range(0, len(keys), _CHUNK):
        statement = select(model.source, model.external_id, model.id, model.fingerprint).where(
            tuple_(col(model.source), col(model.external_id)).in_(keys[start : start + _CHUNK])
        )
        for source, external_id, id_, fingerprint in session.execute(statement):
            found[(source, external_id)] = (id_, fingerprint)
    return found


def _print(each: InteractionInput, occurred_at: datetime, name: Name | None) -> str:
    sent = (
        each.kind, name, occurred_at, each.channel, each.direction, each.subject,
        each.content, each.rating, each.sku, each.transaction, each.staff, each.payload,
    )  # fmt: skip
    return hashlib.blake2b(
        orjson.dumps(sent, option=orjson.OPT_SORT_KEYS), digest_size=16
    ).hexdigest()


def _settle(
    row: Row,
    checked: RecordedInteraction,
    each: InteractionInput,
    fingerprint: str,
    stored: Mapping[tuple[str, str], tuple[UUID, str]],
    fresh: dict[tuple[str, str], tuple[Any, ...]],
    outcomes: Outcomes,
) -> None:
    """Tell a new interaction from a repeat and from a contradiction."""
    key = (checked.source, checked.external_id)
    known = stored.get(key)
    if known is None and key in fresh:
        known = (fresh[key][0].id, fresh[key][2])
    if known is None:
        fresh[key] = (checked, each.payload, fingerprint)
        outcomes.add(RowResult(row.number, Outcome.TAKEN, checked.id))
    elif known[1] == fingerprint:
        outcomes.add(RowResult(row.number, Outcome.KNOWN, known[0]))
    else:
        row.fail(
            "EXTERNAL_ID_CONFLICT",
            "this external id was recorded with other content",
            "externalId",
            checked.external_id,
        )
        outcomes.reject(row.number, row.problems)


def _write(
    session: Session, registry: PluginRegistry, fresh: Sequence[tuple[Any, ...]], now: datetime
) -> None:
    if not fresh:
        return
    at = wire_instant(now)
    insert_rows(
        session,
        Interaction,
        _COLUMNS,
        [
            (
                *_wire(each),
                None if payload is None else orjson.dumps(payload).decode(),
                at,
                fingerprint,
            )
            for each, payload, fingerprint in fresh
        ],
    )
    batch = InteractionBatch(tuple(each for each, _, _ in fresh), now)
    registry.tell("interactions_recorded", session=session, batch=batch)


def _wire(each: RecordedInteraction) -> tuple[Any, ...]:
    ids = {
        name: value.hex
        for name in ("id", "customer_id", "transaction_id")
        if (value := getattr(each, name))
    }
    return tuple(each._replace(occurred_at=wire_instant(each.occurred_at), **ids))  # type: ignore[arg-type]
