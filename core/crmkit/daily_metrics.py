"""Core's metrics: what customers bought, day by day, returns taken off.

What counts is what counts for `crmkit.metrics`; days are business days.
"""

from typing import Any

from sqlalchemy import Select, exists, literal, null, select
from sqlalchemy.types import String

from crmkit.bulk import table_of
from crmkit.contributions import Metric
from crmkit.metrics_queries import SALES
from crmkit.models import CustomerDay, LineKind, Transaction, TransactionKind, TransactionLine

_day, _sale = table_of(CustomerDay), table_of(Transaction)
_line = table_of(TransactionLine)
_void = _sale.alias("void_of_sale")
_NONE = null().cast(String).label("currency")


def _net_spend() -> Select[tuple[Any, ...]]:
    value = _day.c.net_minor.label("value")
    return select(_day.c.customer_id, _day.c.business_on, _day.c.currency, value)


def _spend() -> Select[tuple[Any, ...]]:
    value = _sale.c.total_minor.label("value")
    return select(_sale.c.customer_id, _sale.c.business_on, _sale.c.currency, value).where(*_sold())


def _sale_count() -> Select[tuple[Any, ...]]:
    value = _day.c.sale_count.label("value")
    return select(_day.c.customer_id, _day.c.business_on, _NONE, value)


def _quantity() -> Select[tuple[Any, ...]]:
    value = _day.c.quantity_milli.label("value")
    return select(_day.c.customer_id, _day.c.business_on, _NONE, value)


def _quantity_sold() -> Select[tuple[Any, ...]]:
    value = _line.c.quantity_milli.label("value")
    return (
        select(_sale.c.customer_id, _sale.c.business_on, _NONE, value)
        .join(_line, _line.c.transaction_id == _sale.c.id)
        .where(*_sold(), _line.c.kind == LineKind.PRODUCT, _line.c.quantity_milli > 0)
    )


def _purchase_days() -> Select[tuple[Any, ...]]:
    """One row for a day with sales in several currencies."""
    return (
        select(_day.c.customer_id, _day.c.business_on, _NONE, literal(1).label("value"))
        .where(_day.c.sale_count > 0)
        .group_by(_day.c.customer_id, _day.c.business_on)
    )


def _sold() -> tuple[Any, ...]:
    voided = exists().where(_void.c.original_id == _sale.c.id, _void.c.kind == TransactionKind.VOID)
    return _sale.c.customer_id.is_not(None), _sale.c.kind.in_(sorted(SALES)), ~voided


METRICS = (
    Metric(
        "core.net_spend", "money", "Everything bought, returns taken off.", _net_spend,
        digits=None, without_returns=_spend,
    ),
    Metric("core.sale_count", "sales", "Sales and exchanges.", _sale_count),
    Metric(
        "core.quantity", "pieces", "Pieces of products, returns taken off.", _quantity,
        digits=3, without_returns=_quantity_sold,
    ),
    Metric("core.purchase_days", "days", "Days on which the customer bought.", _purchase_days),
)  # fmt: skip
"""What core registers, as any plugin would."""
