"""When a line is well formed, and what it amounts to. Pure."""

from collections.abc import Iterable
from functools import lru_cache

from crmkit.batches import RecordedLine
from crmkit.checking import NAME_MAX, Row, TextError, clean_text
from crmkit.inputs import Amount, LineInput
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
# An adjustment corrects what was written elsewhere, so it may look like nothing a till does.
_GOODS_MOVE = (TransactionKind.SALE, TransactionKind.RETURN, TransactionKind.EXCHANGE)
LINKED_KINDS = (TransactionKind.RETURN, TransactionKind.EXCHANGE, TransactionKind.VOID)


def check_lines(
    row: Row, lines: Iterable[LineInput], kind: str, currency: str
) -> tuple[RecordedLine, ...]:
    """Read the lines of a transaction; what is wrong with them is noted on its row.

    Args:
        kind: of the transaction.
        currency: a known one.
    """
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
            done.quantity_milli * done.amount_minor <= 0
            or done.quantity_milli * wrong_sign > 0
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
    given_back = discount_minor if milli >= 0 else -discount_minor
    tax_minor = 0 if tax is None else parse_minor(tax, currency)
    if amount is None:
        minor = line_amount(milli, micros, currency) - given_back
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
    _check_signs(row, line, kind, at)
    position = line.original_position
    if position is not None and (type(position) is not int or not 0 < position <= LINES_MAX):
        row.fail("UNKNOWN_VALUE", "positions count from 1", f"{at}.originalPosition", position)
    elif position is not None and (line.quantity_milli >= 0 or kind not in LINKED_KINDS):
        row.fail(
            "NOT_ALLOWED",
            "only lines that come back to an original name its position",
            f"{at}.originalPosition",
            position,
        )


def _check_signs(row: Row, line: RecordedLine, kind: str, at: str) -> None:
    if line.discount_minor < 0:
        row.fail(
            "WRONG_SIGN", "a discount is a positive number", f"{at}.discount", line.discount_minor
        )
    if line.quantity_milli < 0 and kind == TransactionKind.SALE:
        row.fail("WRONG_SIGN", "a sale has no negative quantity; record a return", f"{at}.quantity")
    if line.quantity_milli > 0 and kind == TransactionKind.RETURN:
        row.fail("WRONG_SIGN", "goods that come back have a negative quantity", f"{at}.quantity")
    if line.kind != LineKind.PRODUCT or kind not in _GOODS_MOVE:
        return
    if line.quantity_milli == 0:
        row.fail("WRONG_SIGN", "a product is sold or comes back; 0 is neither", f"{at}.quantity")
    elif line.quantity_milli * line.amount_minor < 0:
        row.fail(
            "WRONG_SIGN",
            "a product's amount has the sign of its quantity; write what is taken off as a "
            "discount, or as a line of another kind",
            f"{at}.amount",
            line.amount_minor,
        )
