"""What hooks receive: batches of records as they were written.

Read records by attribute, never by position: new attributes may be added at the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID


class RecordedLine(NamedTuple):
    """A line as stored; units and signs as in `crmkit.models.TransactionLine`."""

    position: int
    kind: str
    sku: str
    description: str | None
    category: str | None
    brand: str | None
    quantity_milli: int
    unit_price_micros: int
    discount_minor: int
    tax_minor: int
    amount_minor: int
    original_position: int | None


class RecordedTransaction(NamedTuple):
    """A transaction as stored; units and signs as in `crmkit.models.Transaction`."""

    id: UUID
    kind: str
    source: str
    external_id: str
    customer_id: UUID | None
    occurred_at: datetime
    business_on: date
    channel: str | None
    store: str | None
    staff: str | None
    currency: str
    total_minor: int
    paid_minor: int
    original_id: UUID | None
    lines: tuple[RecordedLine, ...]


@dataclass(frozen=True, slots=True)
class TransactionBatch:
    """Transactions of one database transaction, in the order received.

    A sale stands before the returns and voids that name it, whatever the order they came in.

    Attributes:
        recorded_at: when crmkit learned of them, in UTC.
        actor: who sent them, as the access token is named; None for crmkit itself.
    """

    transactions: Sequence[RecordedTransaction]
    recorded_at: datetime
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a `check_*` hook does not want one record written.

    Attributes:
        id: the record's id in the batch.
        code: stable name in UPPER_SNAKE.
        message: one sentence for the people at the till.
        field: path inside the record, such as `lines[2].sku`; empty for the record itself.
    """

    id: UUID
    code: str
    message: str
    field: str = ""


class RecordedInteraction(NamedTuple):
    """An interaction as stored."""

    id: UUID
    kind: str
    source: str
    external_id: str
    customer_id: UUID | None
    occurred_at: datetime
    channel: str | None
    direction: str
    subject: str | None
    content: str | None
    rating: int | None
    sku: str | None
    transaction_id: UUID | None
    staff: str | None
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class InteractionBatch:
    """Interactions of one database transaction, in the order received."""

    interactions: Sequence[RecordedInteraction]
    recorded_at: datetime
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerBatch:
    """Customers created or changed in one database transaction.

    Attributes:
        created: ids that did not exist before.
        changed: ids that existed and now differ.
    """

    created: Sequence[UUID]
    changed: Sequence[UUID]
    recorded_at: datetime
    actor: str | None = None
