"""Mappings: which column of a file means what.

A mapping is data: it names columns, states the file's currency, zone and formats, and lists rules
that tell returns from sales. It holds no code.
"""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic import field_validator as validates

from crmkit.importing.mapping_rules import LineRule, Part, Texts, TransactionRule
from crmkit.models import TransactionKind
from crmkit.money import AmountError, currency_digits
from crmkit.option_types import Zone

NEEDED = ("external_id", "occurred_at", "sku", "quantity", "unit_price")
"""Fields without which nothing can be recorded."""
SomeTexts = Annotated[Texts, Field(min_length=1)]


class TransactionColumns(Part):
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


class LineColumns(Part):
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


class Mapping(Part):
    """How one kind of file is read.

    Attributes:
        source: names the system the file comes from; with the document number it makes each
            transaction unique.
        customer_source: the system that gave the customers' ids; defaults to `source`.
        anonymous: customer ids that mean nobody.
        currency: of lines that name none.
        timezone: of times without an offset, and of the business day.
        time_formats: strptime formats beside ISO 8601.
        encodings: the first that fits the heading and the beginning of the file is taken.
        delimiters: characters that may separate columns; the first that fits is taken.
        decimal: stands before the decimals of a number.
        thousands: may stand between groups of three digits; empty for none.
        heading_line: physical line of the heading, from 1.
        required: fields whose column must be there, beside the few that always must.
        constants: values for fields that have no column.
        mixed_kind: what a document is whose lines are of several kinds; without it, rejected.
    """

    source: str
    customer_source: str = ""
    anonymous: Texts = ()
    currency: str = ""
    timezone: Zone
    time_formats: Texts = ()
    encodings: SomeTexts = ("utf-8-sig",)
    delimiters: SomeTexts = (",",)
    decimal: str = Field(default=".", min_length=1, max_length=1)
    thousands: str = Field(default="", max_length=1)
    heading_line: int = Field(default=1, ge=1)
    sheet: str | None = None
    required: Texts = ()
    constants: dict[str, str] = Field(default_factory=dict)
    transaction: TransactionColumns
    line: LineColumns
    transaction_kinds: tuple[TransactionRule, ...] = ()
    line_kinds: tuple[LineRule, ...] = ()
    mixed_kind: TransactionKind | None = None

    @validates("encodings")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for encoding in value:
            try:
                "\n".encode(encoding)
            except (LookupError, UnicodeError):
                raise ValueError(f"{encoding!r} is not a text encoding") from None
        return value

    @validates("delimiters")
    @classmethod
    def _separating(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for delimiter in value:
            if len(delimiter) != 1 or delimiter in '"\r\n\0':
                raise ValueError(f"{delimiter!r} is not one character that can separate columns")
        return value

    @model_validator(mode="after")
    def _numbers_can_be_read(self) -> "Mapping":
        for mark in (self.decimal, self.thousands):
            if mark.isalnum() or mark in ("+", "-"):
                raise ValueError(f"{mark!r} belongs to a number itself")
        if self.decimal == self.thousands or self.decimal.isspace():
            raise ValueError("decimal and thousands are two marks, and decimal is no space")
        return self

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
        if "external_id" in self.constants:
            raise ValueError("documents are told apart by external_id; it needs a column")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.timezone)
