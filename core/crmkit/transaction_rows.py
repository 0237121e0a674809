"""Transactions and their lines as rows."""

from collections.abc import Sequence

from sqlmodel import Session

from crmkit.batches import RecordedLine, RecordedTransaction, TransactionBatch
from crmkit.bulk import insert_rows, small_writes
from crmkit.columns import wire_instant
from crmkit.models import Transaction, TransactionLine

_COLUMNS = (
    "id", "kind", "source", "external_id", "customer_id", "occurred_at", "recorded_at",
    "business_on", "channel", "store", "staff", "currency", "total_minor", "paid_minor",
    "due_minor", "original_id", "fingerprint",
)  # fmt: skip
_LINE_COLUMNS = ("transaction_id", *RecordedLine._fields)


def insert_transactions(
    session: Session, batch: TransactionBatch, fingerprints: Sequence[str]
) -> None:
    """Insert a batch.

    Args:
        fingerprints: one for each transaction, in the same order.
    """
    at = wire_instant(batch.recorded_at)
    rows = zip(batch.transactions, fingerprints, strict=True)
    headers = [_wire(each, at, mark) for each, mark in rows]
    lines = [
        (id_, *line) for each in batch.transactions for id_ in (each.id.hex,) for line in each.lines
    ]
    with small_writes(session, max(len(headers), len(lines))):
        insert_rows(session, Transaction, _COLUMNS, headers)
        insert_rows(session, TransactionLine, _LINE_COLUMNS, lines)


def _wire(each: RecordedTransaction, recorded_at: str, fingerprint: str) -> tuple[object, ...]:
    return (
        each.id.hex,
        each.kind,
        each.source,
        each.external_id,
        each.customer_id.hex if each.customer_id else None,
        wire_instant(each.occurred_at),
        recorded_at,
        each.business_on.isoformat(),
        each.channel,
        each.store,
        each.staff,
        each.currency,
        each.total_minor,
        each.paid_minor,
        each.total_minor - each.paid_minor,
        each.original_id.hex if each.original_id else None,
        fingerprint,
    )
