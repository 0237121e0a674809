"""The figures of `crmkit.metrics` as queries over transactions: their definition."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, distinct, exists, func, select
from sqlmodel import SQLModel

from crmkit.bulk import table_of
from crmkit.models import (
    CustomerCategoryMetrics,
    CustomerDay,
    CustomerMetrics,
    CustomerStoreMetrics,
    LineKind,
    Transaction,
    TransactionKind,
    TransactionLine,
)

_t = table_of(Transaction)
_line = table_of(TransactionLine)
_void = _t.alias("void")
SALES = frozenset({TransactionKind.SALE, TransactionKind.EXCHANGE})
"""Kinds that count as sales."""
COUNTED = frozenset({*SALES, TransactionKind.RETURN})
"""Kinds that count at all."""

_is_sale = _t.c.kind.in_(sorted(SALES))
_is_return = _t.c.kind == TransactionKind.RETURN

Query = Callable[[Sequence[UUID] | None], Select[tuple[object, ...]]]


def _counted(customers: Sequence[UUID] | None) -> ColumnElement[bool]:
    conditions = [
        _t.c.customer_id.is_not(None),
        _t.c.kind.in_(sorted(COUNTED)),
        ~exists().where(_void.c.original_id == _t.c.id, _void.c.kind == TransactionKind.VOID),
    ]
    if customers is not None:
        conditions.append(_t.c.customer_id.in_(customers))
    return and_(*conditions)


def _pieces() -> ColumnElement[object]:
    """Product pieces of one transaction."""
    return (
        select(func.coalesce(func.sum(_line.c.quantity_milli), 0))
        .where(_line.c.transaction_id == _t.c.id, _line.c.kind == LineKind.PRODUCT)
        .scalar_subquery()
    )


def _sum(value: ColumnElement[object]) -> ColumnElement[object]:
    return func.coalesce(func.sum(value), 0).cast(_t.c.total_minor.type)


def metrics(customers: Sequence[UUID] | None) -> Select[tuple[object, ...]]:
    """Figures per customer and currency."""
    sold_at = case((_is_sale, _t.c.occurred_at))
    return (
        select(
            _t.c.customer_id,
            _t.c.currency,
            func.min(sold_at).label("first_sale_at"),
            func.max(sold_at).label("last_sale_at"),
            func.count(case((_is_sale, 1))).label("sale_count"),
            func.count(case((_is_return, 1))).label("return_count"),
            _sum(_t.c.total_minor).label("net_minor"),
            _sum(case((_is_return, -_t.c.total_minor), else_=0)).label("returned_minor"),
            _sum(_pieces()).label("quantity_milli"),
            func.count(distinct(case((_is_sale, _t.c.business_on)))).label("purchase_day_count"),
        )
        .where(_counted(customers))
        .group_by(_t.c.customer_id, _t.c.currency)
    )


def days(customers: Sequence[UUID] | None) -> Select[tuple[object, ...]]:
    """Figures per customer, currency and business day."""
    return (
        select(
            _t.c.customer_id,
            _t.c.currency,
            _t.c.business_on,
            func.count(case((_is_sale, 1))).label("sale_count"),
            func.count(case((_is_return, 1))).label("return_count"),
            _sum(_t.c.total_minor).label("net_minor"),
            _sum(_pieces()).label("quantity_milli"),
        )
        .where(_counted(customers))
        .group_by(_t.c.customer_id, _t.c.currency, _t.c.business_on)
    )


def categories(customers: Sequence[UUID] | None) -> Select[tuple[object, ...]]:
    """Figures per customer, currency and category."""
    return (
        select(
            _t.c.customer_id,
            _t.c.currency,
            _line.c.category,
            _sum(_line.c.amount_minor).label("net_minor"),
            _sum(_line.c.quantity_milli).label("quantity_milli"),
            func.count().label("line_count"),
        )
        .join(_line, _line.c.transaction_id == _t.c.id)
        .where(_counted(customers), _line.c.category.is_not(None), _line.c.kind == LineKind.PRODUCT)
        .group_by(_t.c.customer_id, _t.c.currency, _line.c.category)
    )


def stores(customers: Sequence[UUID] | None) -> Select[tuple[object, ...]]:
    """Figures per customer, currency and store."""
    return (
        select(
            _t.c.customer_id,
            _t.c.currency,
            _t.c.store,
            _sum(_t.c.total_minor).label("net_minor"),
            func.count(case((_is_sale, 1))).label("sale_count"),
        )
        .where(_counted(customers), _t.c.store.is_not(None))
        .group_by(_t.c.customer_id, _t.c.currency, _t.c.store)
    )


DERIVED: tuple[tuple[type[SQLModel], Query], ...] = (
    (CustomerMetrics, metrics),
    (CustomerDay, days),
    (CustomerCategoryMetrics, categories),
    (CustomerStoreMetrics, stores),
)
