"""Giving anonymous transactions to a customer, after which they count everywhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlmodel import Session

from crmkit import metrics
from crmkit.announcements import announce_transactions
from crmkit.batches import TransactionBatch
from crmkit.bulk import table_of
from crmkit.checking import Row
from crmkit.customer_lookup import Name, find_and_lock_customers
from crmkit.inputs import AttachInput, ErrorPolicy, Outcome, RowResult
from crmkit.models import Transaction, TransactionKind
from crmkit.outcomes import Outcomes
from crmkit.plugins import PluginRegistry
from crmkit.stored_transactions import load_recorded

_CHUNK = 500


class _Attachment(NamedTuple):
    """One row as read: which transaction, and whose it was."""

    row: Row
    key: tuple[str, str]
    customer: Name | None


class _Found(NamedTuple):
    """A transaction that a row names."""

    id: UUID
    kind: str
    customer_id: UUID | None


def attach_transactions(
    session: Session,
    registry: PluginRegistry,
    inputs: Sequence[AttachInput],
    *,
    now: datetime,
    policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
    actor: str | None = None,
) -> list[RowResult]:
    """Say whose anonymous transactions were; returns and voids of a sale follow it.

    A transaction that already belongs to the customer changes nothing; one that belongs to
    another is rejected.

    Raises:
        ValidationFailed: a row is wrong and the policy is REJECT_BATCH; nothing was written.
    """
    outcomes = Outcomes()
    rows = [_read(number, each) for number, each in enumerate(inputs)]
    customers = find_and_lock_customers(session, (each.customer for each in rows))
    found = _named(session, [each.key for each in rows if not each.row.problems])
    attached: dict[UUID, UUID] = {}
    for each in rows:
        _decide(each, found.get(each.key), customers, attached, outcomes)
    outcomes.enforce(policy)
    if attached:
        recorded = load_recorded(session, _attach(session, attached, now))
        batch = TransactionBatch(tuple(recorded.values()), now, actor)
        metrics.apply(session, batch)
        registry.tell("transactions_attached", session, batch=batch)
        announce_transactions(session, batch.transactions)
    return outcomes.in_order()


def _read(number: int, given: AttachInput) -> _Attachment:
    row = Row(number)
    source = row.required_text("source", given.source)
    external_id = row.required_text("externalId", given.external_id)
    customer = row.customer_ref(given.customer, source)
    if customer is None and not row.problems:
        row.fail("REQUIRED", "name the customer", "customer")
    return _Attachment(row, (source, external_id), customer)


def _named(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], _Found]:
    """Return each named transaction that exists, locked."""
    table = table_of(Transaction)
    wanted, found = sorted(set(keys)), {}
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            select(
                table.c.source, table.c.external_id, table.c.id, table.c.kind, table.c.customer_id
            )
            .where(tuple_(table.c.source, table.c.external_id).in_(wanted[start : start + _CHUNK]))
            .order_by(table.c.id)
            .with_for_update()
        )
        for source, name, id_, kind, owner in session.execute(statement):
            found[(source, name)] = _Found(id_, kind, owner)
    return found


def _decide(
    each: _Attachment,
    found: _Found | None,
    customers: dict[Name, UUID],
    attached: dict[UUID, UUID],
    outcomes: Outcomes,
) -> None:
    """Settle one row: taken, known or rejected."""
    row, name = each.row, each.key[1]
    customer = customers.get(each.customer) if each.customer else None
    if each.customer is not None and customer is None:
        shown = each.customer[1] if isinstance(each.customer, tuple) else each.customer
        row.fail("UNKNOWN_CUSTOMER", "there is no such customer", "customer", shown)
    owner = attached.get(found.id, found.customer_id) if found else None
    if found is None:
        if not row.problems:
            row.fail("UNKNOWN_TRANSACTION", "there is no such transaction", "externalId", name)
    elif owner is None and found.kind == TransactionKind.VOID:
        row.fail("NOT_ALLOWED", "a void follows the transaction it undoes", "externalId", name)
    elif customer is not None and owner not in (None, customer):
        row.fail("ALREADY_ATTACHED", "it belongs to another customer", "externalId", name)
    if row.problems or found is None or customer is None:
        outcomes.reject(row.number, row.problems)
    elif owner == customer:
        outcomes.add(RowResult(row.number, Outcome.KNOWN, found.id))
    else:
        attached[found.id] = customer
        outcomes.add(RowResult(row.number, Outcome.TAKEN, found.id))


def _attach(session: Session, attached: dict[UUID, UUID], now: datetime) -> list[UUID]:
    """Set the customers; returns the ids of all transactions that changed."""
    changed = _give(session, "id", attached, now)
    news = changed
    while news:  # returns of an exchange, and voids of a return, hang on what hangs on a sale
        news = _give(session, "original_id", news, now)
        changed = {**changed, **news}
    return list(changed)


def _give(
    session: Session, column: str, wanted: Mapping[UUID, UUID], now: datetime
) -> dict[UUID, UUID]:
    """Set the customer where `column` is one of `wanted`; returns whose each changed row is."""
    table = table_of(Transaction)
    by_customer: dict[UUID, list[UUID]] = defaultdict(list)
    for id_, customer in wanted.items():
        by_customer[customer].append(id_)
    given: dict[UUID, UUID] = {}
    for customer, ids in sorted(by_customer.items()):
        for start in range(0, len(ids), _CHUNK):
            statement = (
                update(table)
                .where(
                    table.c[column].in_(ids[start : start + _CHUNK]), table.c.customer_id.is_(None)
                )
                .values(customer_id=customer, attached_at=now)
                .returning(table.c.id)
            )
            given.update((id_, customer) for (id_,) in session.execute(statement))
    return given
