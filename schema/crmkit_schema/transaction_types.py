"""Transactions as GraphQL gives them."""

from datetime import date, datetime
from typing import Annotated

import strawberry
from sqlalchemy import FromClause, select

from crmkit import models, table_of
from crmkit.models import LineKind, TransactionKind
from crmkit_schema.connections import Connection
from crmkit_schema.customer_types import Customer
from crmkit_schema.decimals import PIECES, UNIT_PRICE
from crmkit_schema.declarations import connection, mapped, money, related
from crmkit_schema.object_types import object_type
from crmkit_schema.values import Amount, Long, Money

strawberry.enum(TransactionKind, description="What happened at the till.")
strawberry.enum(LineKind, description="What a line stands for.")


def _lines() -> FromClause:
    """Lines with the currency of their transaction."""
    line, head = table_of(models.TransactionLine), table_of(models.Transaction)
    return (
        select(line, head.c.currency)
        .join(head, head.c.id == line.c.transaction_id)
        .subquery("lines")
    )


@object_type(_lines(), permission="transactions.read", sorted_by=("position", "transaction_id"))
class TransactionLine:
    """One line of a transaction; quantities and amounts are negative when goods come back."""

    position: int = mapped("From 1.", sort=True)
    kind: LineKind = mapped("What the line stands for.", filter=True)
    sku: str = mapped("Article number.", filter=True)
    description: str | None = mapped("What it says on the receipt.")
    category: str | None = mapped("Category of the article.", filter=True)
    brand: str | None = mapped("Brand of the article.", filter=True)
    quantity: Amount = mapped("Units.", column="quantity_milli", codec=PIECES)
    unit_price: Amount = mapped(
        "Price of one unit in major units, before the discount.",
        column="unit_price_micros",
        codec=UNIT_PRICE,
    )
    discount: Money = money(
        "Taken off what the goods cost; positive whichever way they go.", minor="discount_minor"
    )
    tax: Money = money("Tax contained in the amount.", minor="tax_minor")
    amount: Money = money(
        "Quantity x price less the discount, with the sign of the quantity.", minor="amount_minor"
    )
    original_position: int | None = mapped("Line of the original sale that comes back here.")


@object_type(
    models.Transaction,
    permission="transactions.read",
    sorted_by=("-occurred_at", "-id"),
    node="txn",
)
class Transaction:
    """One document of the till or the shop; a fact, corrected only by later ones."""

    kind: TransactionKind = mapped("What happened.", filter=True)
    source: str = mapped("The system that recorded it.", filter=True)
    external_id: str = mapped("That system's number for it.", filter=True)
    occurred_at: datetime = mapped("When it happened.", filter=True, sort=True)
    recorded_at: datetime = mapped("When crmkit learned of it.", filter=True, sort=True)
    business_on: date = mapped("The shop's calendar day.", filter=True)
    channel: str | None = mapped("Such as store, web or app.", filter=True)
    store: str | None = mapped("Where.", filter=True)
    staff: str | None = mapped("Who served.", filter=True)
    currency: str = mapped("ISO 4217 code.", filter=True)
    total_minor: Long = mapped("Total in minor units; for filters.", filter=True, sort=True)
    total: Money = money("Sum of the lines.", minor="total_minor")
    paid: Money = money("What was paid.", minor="paid_minor")
    due: Money = money("What is still owed.", minor="due_minor")
    customer: Customer | None = related("Whose it is, if known.", parent="customer_id", filter=True)
    original: (
        Annotated["Transaction", strawberry.lazy("crmkit_schema.transaction_types")] | None
    ) = related("The sale that this returns, exchanges or voids.", parent="original_id")
    lines: Connection[TransactionLine] = connection("The lines.", child="transaction_id")
