"""When a transaction is well formed, and what its lines amount to. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from crmkit.batches import RecordedLine
from crmkit.checking import Row
from crmkit.errors import Problem
from crmkit.inputs import LineInput, TransactionInput
from crmkit.line_rules import AMOUNT_MINOR_MAX, LINES_MAX, LINKED_KINDS, check_lines
from crmkit.models import TransactionKind
from crmkit.money import parse_minor


class CheckedTransaction(NamedTuple):
    """A transaction whose own values are all well formed; nothing was looked up yet.

    Attributes:
        customer: id, or (source, external id), or None.
        original: external id of the original in the same source.
        fingerprint: digest of everything that was sent.
    """

    row: int
    kind: str
    source: str
    external_id: str
    customer: UUID | tuple[str, str] | None
    occurred_at: datetime
    business_on: date
    channel: str | None
    store: str | None
    staff: str | None
    currency: str
    total_minor: int
    paid_minor: int | None
    original: str | None
    lines: tuple[RecordedLine, ...]
    fingerprint: str


def check_transaction(
    number: int, given: TransactionInput, zone: ZoneInfo
) -> CheckedTransaction | tuple[Problem, ...]:
    """Read one transaction, or return everything that is wrong with it.

    Args:
        number: the row's position in its batch.
        zone: decides the business day.
    """
    row = Row(number)
    kind = row.choice("kind", given.kind, TransactionKind)
    source = row.required_text("source", given.source)
    external_id = row.required_text("externalId", given.external_id)
    currency = row.currency("currency", given.currency)
    occurred_at = row.instant("occurredAt", given.occurred_at)
    customer = row.customer_ref(given.customer, source)
    channel = row.text("channel", given.channel)
    store = row.text("store", given.store)
    staff = row.text("staff", given.staff)
    original = row.text("original", given.original)
    given_lines = row.items("lines", given.lines, LineInput)
    lines = check_lines(row, given_lines, kind, currency) if currency else ()
    _check_shape(row, kind, original, given_lines)
    total = sum(line.amount_minor for line in lines)
    if abs(total) >= AMOUNT_MINOR_MAX:
        row.fail("INVALID_AMOUNT", "the total is too large", "lines", total)
    paid = None
    if given.paid is not None and currency:
        paid = row.amount("paid", parse_minor, given.paid, currency)
        check_paid(row, paid, total)
    if row.problems or occurred_at is None:
        return tuple(row.problems)
    return CheckedTransaction(
        row=number,
        kind=kind,
        source=source,
        external_id=external_id,
        customer=customer,
        occurred_at=occurred_at,
        business_on=occurred_at.astimezone(zone).date(),
        channel=channel,
        store=store,
        staff=staff,
        currency=currency,
        total_minor=total,
        paid_minor=paid,
        original=original,
        lines=lines,
        fingerprint=_fingerprint(
            kind, customer, occurred_at, (channel, store, staff), currency, paid, original, lines
        ),
    )


def check_paid(row: Row, paid_minor: int | None, total_minor: int) -> None:
    """Note a problem if money moved the other way than the goods did."""
    if paid_minor is not None and paid_minor * total_minor < 0:
        row.fail("WRONG_SIGN", "what is paid has the sign of the total", "paid", paid_minor)


def _check_shape(row: Row, kind: str, original: str | None, lines: Sequence[LineInput]) -> None:
    if kind == TransactionKind.VOID:
        if original is None:
            row.fail("REQUIRED", "a void names the transaction it undoes", "original")
        if lines:
            row.fail("NOT_ALLOWED", "a void takes no lines; it mirrors its original", "lines")
    elif not lines:
        row.fail("REQUIRED", "a transaction needs at least one line", "lines")
    if original is not None and kind not in LINKED_KINDS:
        row.fail(
            "NOT_ALLOWED", "only returns, exchanges and voids name an original", "original", kind
        )
    if len(lines) > LINES_MAX:
        row.fail("TOO_MANY", f"at most {LINES_MAX} lines, got {len(lines)}", "lines")


def _fingerprint(
    kind: str,
    customer: UUID | tuple[str, str] | None,
    occurred_at: datetime,
    places: tuple[str | None, ...],
    currency: str,
    paid: int | None,
    original: str | None,
    lines: tuple[RecordedLine, ...],
) -> str:
    sent = (kind, customer, occurred_at, places, currency, paid, original, [*map(tuple, lines)])
    return hashlib.blake2b(orjson.dumps(sent), digest_size=16).hexdigest()
