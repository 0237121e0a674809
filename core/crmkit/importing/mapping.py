"""Mappings: which column of a file means what.

A mapping is data: it names columns, states the file's currency, zone and formats, and lists rules
that tell returns from sales. It holds no code.
"""

import re
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic import field_validator as validates

from crmkit.models import LineKind, TransactionKind
from crmkit.money import AmountError, currency_digits

NEEDED = ("external_id", "occurred_at", "sku", "quantity", "unit_price")
"""Fields without which nothing can be recorded."""


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text, or several of which the first that fits counts."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TransactionColumns(_Part):
    """Columns that hold a value of the whole document; read from its first line that has one.

    Attributes:
        occurred_at: date, or date and time.
        time: time of day, where it has a column of its own.
        customer: the customer's id in the system the file comes from.
        original: the document that a return, exchange or void refers to.
    """

    external_id: Texts
    occurred_at: Texts
    time: Texts = ()
    kind: Texts = ()
    customer: Texts = ()
    currency: Texts = ()
    channel: Texts = ()
    store: Texts = ()
    staff: Texts = ()
    paid: Texts = ()
    original: Texts = ()


class LineColumns(_Part):
    """Columns that hold a value of one line; see `crmkit.LineInput`."""

    sku: Texts
    quantity: Texts
    unit_price: Texts
    kind: Texts = ()
    description: Texts = ()
    category: Texts = ()
    brand: Texts = ()
    discount: Texts = ()
    tax: Texts = ()
    amount: Texts = ()
    original_position: Texts = ()


class Condition(_Part):
    """A test of one column; exactly one of the tests is given.

    Attributes:
        matches: regular expression for the whole value.
        below: the value is a number smaller than this.
    """

    column: str
    equals: Texts | None = None
    prefix: str | None = None
    matches: re.Pattern[str] | None = None
    below: Decimal | None = None
    above: Decimal | None = None

    @model_validator(mode="after")
    def _one_test(self) -> "Condition":
        tests = (self.equals, self.prefix, self.matches, self.below, self.above)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("give exactly one of equals, prefix, matches, below, above")
        return self


class TransactionRule(_Part):
    """The kind of transaction that a line fulfilling all conditions belongs to."""

    kind: TransactionKind
    when: tuple[Condition, ...]


class LineRule(_Part):
    """The kind of a line that fulfils all conditions."""

    kind: LineKind
    when: tuple[Condition, ...]


Rules = tuple[TransactionRule | LineRule, ...]


class Mapping(_Part):
    """How one kind of file is read.

    Attributes:
        source: names the system the file comes from; with the document number it makes each
            transaction unique.
        customer_source: the system that gave the customers' ids; defaults to `source`.
        anonymous: customer ids that mean nobody.
        currency: of lines that name none.
        timezone: of times without an offset, and of the business day.
        time_formats: strptime formats beside ISO 8601.
        encodings: the first in which the heading can be read is taken.
        required: fields whose column must be there, beside the few that always must.
        constants: values for fields that have no column.
        mixed_kind: what a document is whose lines are of several kinds; without it, rejected.
    """

    source: str
    customer_source: str = ""
    anonymous: Texts = ()
    currency: str = ""
    timezone: str
    time_formats: Texts = ()
    encodings: Texts = ("utf-8-sig",)
    delimiters: Texts = (",",)
    decimal: str = "."
    thousands: str = ""
    heading_line: int = 1
    sheet: str | None = None
    required: Texts = ()
    constants: dict[str, str] = {}
    transaction: TransactionColumns
    line: LineColumns
    transaction_kinds: tuple[TransactionRule, ...] = ()
    line_kinds: tuple[LineRule, ...] = ()
    mixed_kind: TransactionKind | None = None

    @validates("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("not an IANA time zone such as Europe/London") from None
        return value

    @validates("encodings")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for encoding in value:
            try:
                "\n".encode(encoding)
            except (LookupError, UnicodeError):
                raise ValueError(f"{encoding!r} is not a text encoding") from None
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Mapping":
        if self.currency:
            try:
                currency_digits(self.currency)
            except AmountError as error:
                raise ValueError(f"currency {self.currency!r}: {error}") from None
        elif not self.transaction.currency:
            raise ValueError("name the currency, or the column that holds it")
        known = {*TransactionColumns.model_fields, *LineColumns.model_fields}
        if unknown := ({*self.required, *self.constants} - known):
            raise ValueError(f"there is no field {min(unknown)!r}")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.timezone)
