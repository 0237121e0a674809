"""When a transaction is well formed, and what its lines amount to. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from crmkit.batches import RecordedLine
from crmkit.checking import NAME_MAX, Row, TextError, clean_text
from crmkit.errors import Problem
from crmkit.inputs import Amount, LineInput, TransactionInput
from crmkit.models import LineKind, TransactionKind
from crmkit.money import AmountError, line_amount, parse_micros, parse_milli, parse_minor

LINES_MAX = 5_000
# Each leaves the sums of a customer's whole life room inside 64 bits.
AMOUNT_MINOR_MAX = 10**15
QUANTITY_MILLI_MAX = 10**12
DESCRIPTION_MAX = 2_000

_new_line = tuple.__new__  # half the time of calling the class, once per line
_LINE_KINDS = frozenset(map(str, LineKind))
_WRONG_SIGN: dict[str, int] = {TransactionKind.SALE: -1, TransactionKind.RETURN: 1}
_LINKED = (TransactionKind.RETURN, TransactionKind.EXCHANGE, TransactionKind.VOID)


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
    lines = _check_lines(row, given_lines, kind, currency) if currency else ()
    _check_shape(row, kind, original, given_lines)
    total = sum(line.amount_minor for line in lines)
    if abs(total) >= AMOUNT_MINOR_MAX:
        row.fail("INVALID_AMOUNT", "the total is too large", "lines", total)
    paid = None
    if given.paid is not None and currency:
        paid = row.amount("paid", parse_minor, given.paid, currency)
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


def _check_shape(row: Row, kind: str, original: str | None, lines: Sequence[LineInput]) -> None:
    if kind == TransactionKind.VOID:
        if original is None:
            row.fail("REQUIRED", "a void names the transaction it undoes", "original")
        if lines:
            row.fail("NOT_ALLOWED", "a void takes no lines; it mirrors its original", "lines")
    elif not lines:
        row.fail("REQUIRED", "a transaction needs at least one line", "lines")
    if original is not None and kind not in _LINKED:
        row.fail(
            "NOT_ALLOWED", "only returns, exchanges and voids name an original", "original", kind
        )
    if len(lines) > LINES_MAX:
        row.fail("TOO_MANY", f"at most {LINES_MAX} lines, got {len(lines)}", "lines")


def _check_lines(
    row: Row, lines: Iterable[LineInput], kind: str, currency: str
) -> tuple[RecordedLine, ...]:
    checked = []
    wrong_sign = _WRONG_SIGN.get(kind, 0)
    for position, line in enumerate(lines, 1):
        if position > LINES_MAX:
            break
        try:
            done = _line(position, line, currency)
        except (AmountError, TextError, TypeError):
            _explain_line(row, position, line, currency)
            continue
        checked.append(done)
        if (
            done.quantity_milli * wrong_sign > 0
            or done.discount_minor < 0
            or done.original_position is not None
        ):
            _check_line_rules(row, done, kind)
    return tuple(checked)


def _line(position: int, line: LineInput, currency: str) -> RecordedLine:
    """Read one line fast; any doubt raises, and `_explain_line` says what it was."""
    product = _product(line.kind, line.sku, line.description, line.category, line.brand)
    figures = _figures(
        line.quantity, line.unit_price, line.discount, line.tax, line.amount, currency
    )
    return _new_line(RecordedLine, (position, *product, *figures, line.original_position))


@lru_cache(maxsize=16384)
def _product(
    kind: str, sku: str, description: str | None, category: str | None, brand: str | None
) -> tuple[str, str, str | None, str | None, str | None]:
    """Read what a line sells; the same few products come again and again."""
    sku = clean_text(sku, NAME_MAX)
    if kind not in _LINE_KINDS or not sku:
        raise TextError
    return (
        kind,
        sku,
        None if description is None else clean_text(description, DESCRIPTION_MAX) or None,
        None if category is None else clean_text(category, NAME_MAX) or None,
        None if brand is None else clean_text(brand, NAME_MAX) or None,
    )


@lru_cache(maxsize=65536, typed=True)
def _figures(
    quantity: Amount,
    unit_price: Amount,
    discount: Amount | None,
    tax: Amount | None,
    amount: Amount | None,
    currency: str,
) -> tuple[int, int, int, int, int]:
    """Read what a line's numbers say, in the units and the order of `RecordedLine`."""
    milli = parse_milli(quantity)
    micros = parse_micros(unit_price)
    discount_minor = 0 if discount is None else parse_minor(discount, currency)
    tax_minor = 0 if tax is None else parse_minor(tax, currency)
    if amount is None:
        minor = line_amount(milli, micros, currency) - discount_minor
    else:
        minor = parse_minor(amount, currency)
    if abs(minor) >= AMOUNT_MINOR_MAX or abs(milli) >= QUANTITY_MILLI_MAX:
        raise AmountError("too large")
    return milli, micros, discount_minor, tax_minor, minor


def _explain_line(row: Row, position: int, line: LineInput, currency: str) -> None:
    """Read the line again, slowly, and name every field that is wrong."""
    at = f"lines[{position - 1}]"
    before = len(row.problems)
    row.required_text(f"{at}.sku", line.sku)
    row.choice(f"{at}.kind", line.kind, LineKind)
    row.amount(f"{at}.quantity", parse_milli, line.quantity)
    row.amount(f"{at}.unitPrice", parse_micros, line.unit_price)
    for name in ("discount", "tax", "amount"):
        value = getattr(line, name)
        if value is not None:
            row.amount(f"{at}.{name}", parse_minor, value, currency)
    row.text(f"{at}.description", line.description, DESCRIPTION_MAX)
    row.text(f"{at}.category", line.category)
    row.text(f"{at}.brand", line.brand)
    if len(row.problems) == before:
        row.fail("INVALID_AMOUNT", "the line's amount or quantity is too large", at)


def _check_line_rules(row: Row, line: RecordedLine, kind: str) -> None:
    at = f"lines[{line.position - 1}]"
    if line.discount_minor < 0:
        row.fail(
            "WRONG_SIGN", "a discount is a positive number", f"{at}.discount", line.discount_minor
        )
    if line.quantity_milli < 0 and kind == TransactionKind.SALE:
        row.fail("WRONG_SIGN", "a sale has no negative quantity; record a return", f"{at}.quantity")
    if line.quantity_milli > 0 and kind == TransactionKind.RETURN:
        row.fail("WRONG_SIGN", "goods that come back have a negative quantity", f"{at}.quantity")
    position = line.original_position
    if position is not None and (type(position) is not int or not 0 < position <= LINES_MAX):
        row.fail("UNKNOWN_VALUE", "positions count from 1", f"{at}.originalPosition", position)
    elif position is not None and (line.quantity_milli >= 0 or kind not in _LINKED):
        row.fail(
            "NOT_ALLOWED",
            "only lines that come back to an original name its position",
            f"{at}.originalPosition",
            position,
        )


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


class Returned(NamedTuple):
    """How much of one sold line came back before.

    Attributes:
        quantity_milli: as a positive number.
    """

    position: int
    quantity_milli: int


def link_returned_lines(
    row: Row,
    lines: Sequence[RecordedLine],
    sold: Sequence[RecordedLine],
    returned: Iterable[Returned],
) -> tuple[RecordedLine, ...]:
    """Tie each line that comes back to the line it was sold on.

    A line that names no original position goes to the first sold line of the same sku that has
    enough left. More than was sold, over all returns, is a problem.

    Args:
        row: takes the problems.
        lines: lines of the return or exchange.
        sold: lines of the original.
        returned: what earlier returns of the same original brought back.
    """
    left = {line.position: line.quantity_milli for line in sold}
    by_sku: dict[str, list[int]] = defaultdict(list)
    for line in sold:
        by_sku[line.sku].append(line.position)
    for earlier, quantity in returned:
        left[earlier] = left.get(earlier, 0) - quantity
    linked = []
    for line in lines:
        named = line.original_position
        if line.quantity_milli >= 0 or (named is None and line.kind != LineKind.PRODUCT):
            linked.append(line)
            continue
        needed, at = -line.quantity_milli, f"lines[{line.position - 1}]"
        candidates = [each for each in by_sku[line.sku] if named in (None, each)]
        position = next((each for each in candidates if left.get(each, 0) >= needed), None)
        if position is None:
            row.fail(
                "RETURN_EXCEEDS_SALE",
                "more comes back than is left of what was sold",
                f"{at}.quantity",
                line.quantity_milli / 1000,
            )
            continue
        left[position] -= needed
        linked.append(line._replace(original_position=position))
    return tuple(linked)
