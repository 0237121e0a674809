"""Giving anonymous transactions to a customer, after which they count everywhere."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_, update
from sqlmodel import Session, col, select

from crmkit import metrics
from crmkit.batches import TransactionBatch
from crmkit.bulk import table_of
from crmkit.checking import Row
from crmkit.customer_lookup import Name, find_customers, lock_customers
from crmkit.inputs import AttachInput, ErrorPolicy, Outcome, RowResult
from crmkit.models import Transaction
from crmkit.outcomes import Outcomes
from crmkit.plugins import PluginRegistry
from crmkit.stored_transactions import load_recorded

Owners = dict[tuple[str, str], tuple[UUID, UUID | None]]


def attach_transactions(
    session: Session,
    registry: PluginRegistry,
    inputs: Sequence[AttachInput],
    *,
    now: datetime,
    policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
) -> list[RowResult]:
    """Say whose anonymous transactions were; returns and voids of a sale follow it.

    A transaction that already belongs to the customer changes nothing; one that belongs to
    another is rejected.

    Raises:
        ValidationFailed: a row is wrong and the policy is REJECT_BATCH; nothing was written.
    """
    outcomes = Outcomes()
    rows = [Row(number) for number in range(len(inputs))]
    names = [
        row.customer_ref(each.customer, each.source) for row, each in zip(rows, inputs, strict=True)
    ]
    customers = find_customers(session, names)
    lock_customers(session, customers.values())
    owners = _owners(session, inputs)
    attached: dict[UUID, UUID] = {}
    for row, each, name in zip(rows, inputs, names, strict=True):
        _decide(row, each, owners, _customer(row, name, customers), attached, outcomes)
    outcomes.enforce(policy)
    if attached:
        recorded = load_recorded(session, _attach(session, attached, now))
        batch = TransactionBatch(tuple(recorded.values()), now)
        metrics.apply(session, batch)
        registry.tell("transactions_attached", session=session, batch=batch)
    return outcomes.in_order()


def _owners(session: Session, inputs: Sequence[AttachInput]) -> Owners:
    """Return id and customer of each named transaction that exists."""
    keys = sorted({(each.source, each.external_id) for each in inputs})
    statement = (
        select(Transaction.source, Transaction.external_id, Transaction.id, Transaction.customer_id)
        .where(tuple_(col(Transaction.source), col(Transaction.external_id)).in_(keys))
        .order_by(col(Transaction.id))
        .with_for_update()
    )
    return {(source, name): (id_, owner) for source, name, id_, owner in session.execute(statement)}


def _customer(row: Row, name: Name | None, customers: dict[Name, UUID]) -> UUID | None:
    if name is None:
        if not row.problems:
            row.fail("REQUIRED", "name the customer", "customer")
        return None
    if name not in customers:
        row.fail("UNKNOWN_CUSTOMER", "there is no such customer", "customer", name)
    return customers.get(name)


def _decide(
    row: Row,
    each: AttachInput,
    owners: Owners,
    customer: UUID | None,
    attached: dict[UUID, UUID],
    outcomes: Outcomes,
) -> None:
    """Settle one row: taken, known or rejected."""
    found = owners.get((each.source, each.external_id))
    owner = attached.get(found[0], found[1]) if found else None
    if found is None:
        row.fail(
            "UNKNOWN_TRANSACTION", "there is no such transaction", "externalId", each.external_id
        )
    elif customer is not None and owner not in (None, customer):
        row.fail(
            "ALREADY_ATTACHED", "it belongs to another customer", "externalId", each.external_id
        )
    if row.problems or found is None or customer is None:
        outcomes.reject(row.number, row.problems)
    elif owner == customer:
        outcomes.add(RowResult(row.number, Outcome.KNOWN, found[0]))
    else:
        attached[found[0]] = customer
        outcomes.add(RowResult(row.number, Outcome.TAKEN, found[0]))


def _attach(session: Session, attached: dict[UUID, UUID], now: datetime) -> list[UUID]:
    """Set the customers; returns the ids of all transactions that changed."""
    table = table_of(Transaction)
    by_customer: dict[UUID, list[UUID]] = defaultdict(list)
    for id_, customer in attached.items():
        by_customer[customer].append(id_)
    changed: list[UUID] = []
    for customer, ids in sorted(by_customer.items()):
        rows = session.execute(
            update(table)
            .where(
                table.c.id.in_(ids) | table.c.original_id.in_(ids), table.c.customer_id.is_(None)
            )
            .values(customer_id=customer, attached_at=now)
            .returning(table.c.id)
        )
        changed += [id_ for (id_,) in rows]
    return changed
