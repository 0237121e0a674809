"""How the strawberry peer records a sale: objects of SQLAlchemy's ORM in one transaction."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tests.benchmarks.serving.strawberry_rows import (
    Account,
    Category,
    Customer,
    Day,
    Entry,
    Line,
    Lot,
    Metrics,
    Store,
    Transaction,
)


async def record(session: AsyncSession, given: Any) -> dict[str, Any]:
    """Record a sale with its points and the customer's figures; a known one changes nothing."""
    named = (Transaction.source == given.source, Transaction.external_id == given.external_id)
    known = await session.scalar(select(Transaction).where(*named))
    if known is None:
        return await _write(session, given)
    return _answer("KNOWN", known, await session.get_one(Account, (known.customer_id, "points")))


def _answer(outcome: str, sale: Any, account: Any) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "id": str(sale.id),
        "total_minor": sale.total_minor,
        "currency": sale.currency,
        "balance": account.balance,
    }


async def _write(session: AsyncSession, given: Any) -> dict[str, Any]:
    customer = UUID(given.customer)
    await session.get_one(Customer, customer, with_for_update=True)
    now, day = datetime.now(UTC), given.occurred_at.date()
    sale = Transaction(
        id=uuid4(), kind="sale", source=given.source, external_id=given.external_id,
        customer_id=customer, occurred_at=given.occurred_at, recorded_at=now, business_on=day,
        channel="store", store=given.store, currency=given.currency, fingerprint="",
    )  # fmt: skip
    lines = [_line(sale.id, at, each) for at, each in enumerate(given.lines, 1)]
    total, pieces = sum(x.amount_minor for x in lines), sum(x.quantity_milli for x in lines)
    sale.total_minor, sale.paid_minor, sale.due_minor = total, total, 0
    session.add(sale)
    await session.flush()
    session.add_all(lines)
    key = {"customer_id": customer, "currency": given.currency}
    account = await _row(session, Account, {"customer_id": customer, "point_kind": "points"})
    account.balance += total // 100
    entry = Entry(
        id=uuid4(), customer_id=customer, kind="accrual", points_delta=total // 100,
        balance_after=account.balance, source="transaction", source_id=sale.id, line=0,
        rule="per_amount", idempotency_key=f"accrual:per_amount:{sale.id.hex}",
        occurred_at=given.occurred_at, recorded_at=now,
        explanation={"version": 1, "amount_minor": total, "currency": given.currency,
                     "points_per_major_unit": "1"},
    )  # fmt: skip
    session.add(entry)
    await session.flush()
    session.add(
        Lot(id=uuid4(), customer_id=customer, entry_id=entry.id, points=total // 100,
            active_from=given.occurred_at)
    )  # fmt: skip
    on = await _row(session, Day, {**key, "business_on": day})
    figures = await _row(session, Metrics, key)
    figures.purchase_day_count += on.sale_count == 0
    figures.first_sale_at = min(figures.first_sale_at or given.occurred_at, given.occurred_at)
    figures.last_sale_at = max(figures.last_sale_at or given.occurred_at, given.occurred_at)
    for each in (on, figures):
        each.sale_count += 1
        each.net_minor += total
        each.quantity_milli += pieces
    for line in lines:
        category = await _row(session, Category, {**key, "category": line.category})
        category.net_minor += line.amount_minor
        category.quantity_milli += line.quantity_milli
        category.line_count += 1
    store = await _row(session, Store, {**key, "store": given.store})
    store.net_minor += total
    store.sale_count += 1
    return _answer("TAKEN", sale, account)


def _line(sale: UUID, position: int, given: Any) -> Any:
    quantity, price = Decimal(given.quantity), Decimal(given.unit_price)
    return Line(
        transaction_id=sale, position=position, kind="product", sku=given.sku,
        description=given.description, category=given.category,
        quantity_milli=int(quantity * 1000), unit_price_micros=int(price * 1_000_000),
        discount_minor=0, tax_minor=0, amount_minor=int(quantity * price * 100),
    )  # fmt: skip


async def _row(session: AsyncSession, model: Any, key: dict[str, Any]) -> Any:
    """Return the row with that key, made with zeros if there is none."""
    found = await session.get(model, key)
    if found is None:
        numbers = [c.name for c in model.__table__.c if not c.nullable and c.name not in key]
        found = model(**key, **dict.fromkeys(numbers, 0))
        session.add(found)
    return found
