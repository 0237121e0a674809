"""Recording interactions: the only code that writes them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from crmkit.batches import InteractionBatch, RecordedInteraction
from crmkit.bulk import insert_rows
from crmkit.checking import Row
from crmkit.columns import wire_instant
from crmkit.customer_lookup import Name, find_customers, lock_customers
from crmkit.inputs import ErrorPolicy, InteractionInput, Outcome, RowResult
from crmkit.interaction_rules import CheckedInteraction, check_interaction
from crmkit.models import Interaction, Transaction
from crmkit.named_rows import read_id, rows_named
from crmkit.outcomes import Outcomes
from crmkit.plugins import PluginRegistry

_COLUMNS = (*RecordedInteraction._fields, "recorded_at", "fingerprint")


def record_interactions(
    session: Session,
    registry: PluginRegistry,
    inputs: Sequence[InteractionInput],
    *,
    now: datetime,
    policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
    actor: str | None = None,
) -> list[RowResult]:
    """Write interactions and tell the plugins.

    Repeats change nothing, as with transactions.

    Raises:
        ValidationFailed: a row is wrong and the policy is REJECT_BATCH; nothing was written.
    """
    outcomes = Outcomes()
    checked: list[CheckedInteraction] = []
    for number, given in enumerate(inputs):
        answer = check_interaction(number, given, registry.interaction_kinds)
        if isinstance(answer, CheckedInteraction):
            checked.append(answer)
        else:
            outcomes.reject(number, answer)
    customers = find_customers(session, (each.customer for each in checked))
    transactions = _ids(session, Transaction, (each.transaction for each in checked))
    stored = _ids(session, Interaction, (each.key for each in checked))
    fresh: dict[tuple[str, str], CheckedInteraction] = {}
    for each in checked:
        found = _resolve(each, customers, transactions, outcomes)
        if found is not None:
            _settle(found, stored, fresh, outcomes)
    outcomes.enforce(policy)
    customers_touched = (each.recorded.customer_id for each in fresh.values())
    lock_customers(session, (id_ for id_ in customers_touched if id_ is not None))
    _write(session, registry, list(fresh.values()), now, actor)
    return outcomes.in_order()


def _resolve(
    each: CheckedInteraction,
    customers: Mapping[Name, UUID],
    transactions: Mapping[tuple[str, str], tuple[UUID, str]],
    outcomes: Outcomes,
) -> CheckedInteraction | None:
    """Fill in the ids of what the interaction names; reject it if something is not there."""
    row, recorded = Row(each.row), each.recorded
    if each.customer is not None:
        recorded = recorded._replace(customer_id=customers.get(each.customer))
        if recorded.customer_id is None:
            name = each.customer[1] if isinstance(each.customer, tuple) else each.customer
            row.fail("UNKNOWN_CUSTOMER", "there is no such customer", "customer", name)
    if each.transaction is not None:
        recorded = recorded._replace(
            transaction_id=transactions.get(each.transaction, (None, ""))[0]
        )
        if recorded.transaction_id is None:
            message = "there is no such transaction"
            row.fail("UNKNOWN_TRANSACTION", message, "transaction", each.transaction[1])
    if row.problems:
        outcomes.reject(each.row, row.problems)
        return None
    return each._replace(recorded=recorded)


def _ids(
    session: Session,
    model: type[Transaction] | type[Interaction],
    names: Iterable[tuple[str, str] | None],
) -> dict[tuple[str, str], tuple[UUID, str]]:
    """Return id and fingerprint of each named record that exists."""
    columns, key = ("source", "external_id", "id", "fingerprint"), ("source", "external_id")
    wanted = sorted({name for name in names if name is not None})
    rows = rows_named(session, model, columns, key, wanted)
    return {(source, name): (read_id(id_), mark) for source, name, id_, mark in rows}


def _settle(
    each: CheckedInteraction,
    stored: Mapping[tuple[str, str], tuple[UUID, str]],
    fresh: dict[tuple[str, str], CheckedInteraction],
    outcomes: Outcomes,
) -> None:
    """Tell a new interaction from a repeat and from a contradiction."""
    known = stored.get(each.key)
    if known is None and each.key in fresh:
        known = (fresh[each.key].recorded.id, fresh[each.key].fingerprint)
    if known is None:
        fresh[each.key] = each
        outcomes.add(RowResult(each.row, Outcome.TAKEN, each.recorded.id))
    elif known[1] == each.fingerprint:
        outcomes.add(RowResult(each.row, Outcome.KNOWN, known[0]))
    else:
        row = Row(each.row)
        message = "this external id was recorded with other content"
        row.fail("EXTERNAL_ID_CONFLICT", message, "externalId", each.recorded.external_id)
        outcomes.reject(each.row, row.problems)


def _write(
    session: Session,
    registry: PluginRegistry,
    fresh: Sequence[CheckedInteraction],
    now: datetime,
    actor: str | None,
) -> None:
    if not fresh:
        return
    at = wire_instant(now)
    rows = [(*_wire(each), at, each.fingerprint) for each in fresh]
    insert_rows(session, Interaction, _COLUMNS, rows)
    batch = InteractionBatch(tuple(each.recorded for each in fresh), now, actor)
    registry.tell("interactions_recorded", session, batch=batch)


def _wire(each: CheckedInteraction) -> tuple[Any, ...]:
    recorded = each.recorded
    ids = {
        name: value.hex
        for name in ("id", "customer_id", "transaction_id")
        if (value := getattr(recorded, name))
    }
    wired = recorded._asdict() | ids
    wired["occurred_at"] = wire_instant(recorded.occurred_at)
    wired["payload"] = each.payload
    return tuple(wired.values())
