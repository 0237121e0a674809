"""What services take and what they give back: plain values, checked on arrival.

Amounts, quantities and times may be text; the services read them with one narrow grammar
(`crmkit.money`, `crmkit.times`) and report what they cannot read as problems.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from crmkit.errors import Problem

Amount = str | int | Decimal
"""Money in major units: text such as `"12.50"`, an integer or a Decimal; never a float."""


class Unset:
    """The type of `UNSET`: a value that was not sent, which is not the same as null."""

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset()


class Outcome(StrEnum):
    """What became of one row."""

    TAKEN = "taken"
    KNOWN = "known"
    REJECTED = "rejected"


class ErrorPolicy(StrEnum):
    """What a batch does with its good rows when some are wrong."""

    REJECT_BATCH = "reject_batch"
    REJECT_ROWS = "reject_rows"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row of a batch.

    Attributes:
        row: position in the batch, from 0.
        id: the record's id, also when it was known already; None if rejected.
        problems: why it was rejected.
    """

    row: int
    outcome: Outcome
    id: UUID | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class CustomerRef:
    """Names a customer by id, or by the id another system gave.

    Attributes:
        source: the other system; defaults to the record's own source.
    """

    id: UUID | None = None
    external_id: str | None = None
    source: str | None = None


@dataclass(slots=True)
class LineInput:
    """One line of a transaction; see `TransactionLine` for the meaning and the signs.

    Attributes:
        quantity: units, up to 3 decimals; negative when goods come back.
        unit_price: major units, up to 6 decimals.
        discount: major units, never negative; goods that come back were reduced by as much.
        amount: the line's amount if the till rounded differently; else quantity x price less the
            discount, with the sign of the quantity.
    """

    sku: str
    quantity: Amount
    unit_price: Amount
    kind: str = "product"
    description: str | None = None
    category: str | None = None
    brand: str | None = None
    discount: Amount = 0
    tax: Amount = 0
    amount: Amount | None = None
    original_position: int | None = None


@dataclass(slots=True)
class TransactionInput:
    """One transaction to record; `source` and `external_id` together make it idempotent.

    Attributes:
        paid: money received; defaults to the total, so nothing is due.
        original: external id, in the same source, of the sale that this one returns, exchanges
            or voids. A void takes no lines: it mirrors its original.
    """

    source: str
    external_id: str
    occurred_at: datetime | str
    currency: str
    lines: Sequence[LineInput] = ()
    kind: str = "sale"
    customer: CustomerRef | None = None
    channel: str | None = None
    store: str | None = None
    staff: str | None = None
    paid: Amount | None = None
    original: str | None = None


@dataclass(slots=True)
class InteractionInput:
    """One interaction to record; `source` and `external_id` together make it idempotent.

    Attributes:
        transaction: external id, in the same source, of the transaction it is about.
    """

    source: str
    external_id: str
    occurred_at: datetime | str
    kind: str
    customer: CustomerRef | None = None
    channel: str | None = None
    direction: str = "inbound"
    subject: str | None = None
    content: str | None = None
    rating: int | None = None
    sku: str | None = None
    transaction: str | None = None
    staff: str | None = None
    payload: Mapping[str, Any] | None = None


@dataclass(slots=True)
class ContactInput:
    """One contact point; `value` as typed."""

    kind: str
    value: str
    is_primary: bool = False
    verified_at: datetime | str | None = None


@dataclass(slots=True)
class AddressInput:
    """One postal address."""

    kind: str = "home"
    country: str | None = None
    region: str | None = None
    city: str | None = None
    street: str | None = None
    postal_code: str | None = None


@dataclass(slots=True)
class CustomerInput:
    """A customer to create or change, found by `source` and `external_id`.

    Fields left `UNSET` keep what is stored; None empties them. Contact points and tags are added
    to what is there; addresses replace those of the same kind.
    """

    source: str
    external_id: str
    display_name: str | Unset | None = UNSET
    given_name: str | Unset | None = UNSET
    family_name: str | Unset | None = UNSET
    gender: str | Unset | None = UNSET
    birth_on: date | str | Unset | None = UNSET
    occupation: str | Unset | None = UNSET
    language: str | Unset | None = UNSET
    lifecycle: str | Unset | None = UNSET
    contact_points: Sequence[ContactInput] = field(default_factory=tuple)
    addresses: Sequence[AddressInput] = field(default_factory=tuple)
    tags: Sequence[str] = field(default_factory=tuple)


@dataclass(slots=True)
class AttachInput:
    """Says whose an anonymous transaction was."""

    source: str
    external_id: str
    customer: CustomerRef
