"""Key figures of customers as GraphQL gives them."""

from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, and_, case, cast, func, select
from sqlalchemy.types import BigInteger

from crmkit import models, table_of
from crmkit_schema.decimals import PIECES
from crmkit_schema.declarations import mapped, money
from crmkit_schema.object_types import object_type
from crmkit_schema.sources import bound
from crmkit_schema.values import Amount, Long, Money

_customer = table_of(models.Customer)
_metrics = table_of(models.CustomerMetrics)


def _figures() -> FromClause:
    """Figures in the home currency for every customer, zeros for those who never bought."""
    names = ("sale_count", "return_count", "net_minor", "returned_minor", "quantity_milli",
             "purchase_day_count")  # fmt: skip
    joined = _customer.outerjoin(
        _metrics,
        and_(
            _metrics.c.customer_id == _customer.c.id,
            _metrics.c.currency == bound("home_currency"),
        ),
    )
    return (
        select(
            _customer.c.id.label("customer_id"),
            cast(bound("home_currency"), _metrics.c.currency.type).label("currency"),
            _metrics.c.first_sale_at,
            _metrics.c.last_sale_at,
            _average().label("average_minor"),
            *(func.coalesce(_metrics.c[name], 0).label(name) for name in names),
        )
        .select_from(joined)
        .subquery("figures")
    )


def _average() -> Any:
    """Net amount per sale in minor units, rounded half away from zero; null without sales."""
    net, count = _metrics.c.net_minor, func.nullif(_metrics.c.sale_count, 0)
    doubled = func.abs(net) * 2 + count
    rounded = (doubled - doubled % (2 * count)) / (2 * count)
    return cast(case((net < 0, -rounded), else_=rounded), BigInteger)


@object_type(
    models.CustomerCategoryMetrics,
    permission="customers.read",
    sorted_by=("-net_minor", "category", "currency"),
)
class CustomerCategory:
    """What a customer bought of one category, returns taken off."""

    category: str = mapped("The category.")
    net: Money = money("Amount.", minor="net_minor")
    quantity: Amount = mapped("Pieces.", column="quantity_milli", codec=PIECES)
    line_count: int = mapped("Lines.")


@object_type(
    models.CustomerStoreMetrics,
    permission="customers.read",
    sorted_by=("-net_minor", "store", "currency"),
)
class CustomerStore:
    """What a customer bought in one store, returns taken off."""

    store: str = mapped("The store.")
    net: Money = money("Amount.", minor="net_minor")
    sale_count: int = mapped("Sales and exchanges.")


@object_type(
    models.CustomerMetrics, permission="customers.read", sorted_by=("currency", "customer_id")
)
class CustomerCurrencyMetrics:
    """A customer's key figures in one currency; voided and anonymous sales do not count."""

    currency: str = mapped("ISO 4217 code.")
    first_sale_at: datetime | None = mapped("First sale.")
    last_sale_at: datetime | None = mapped("Last sale.")
    sale_count: int = mapped("Sales and exchanges.")
    return_count: int = mapped("Returns.")
    net: Money = money("Everything bought, returns taken off.", minor="net_minor")
    returned: Money = money("What came back.", minor="returned_minor")
    quantity: Amount = mapped(
        "Pieces of products, returns taken off.", column="quantity_milli", codec=PIECES
    )
    purchase_day_count: int = mapped("Days on which the customer bought.")


@object_type(_figures(), permission="customers.read", sorted_by=("customer_id",))
class CustomerMetrics:
    """A customer's key figures in the home currency; voided and anonymous sales do not count."""

    currency: str = mapped("The home currency.")
    first_sale_at: datetime | None = mapped("First sale.", filter=True)
    last_sale_at: datetime | None = mapped("Last sale.", filter=True)
    sale_count: int = mapped("Sales and exchanges.", filter=True, sort=True)
    return_count: int = mapped("Returns.", filter=True, sort=True)
    net_minor: Long = mapped("Net amount in minor units; for filters.", filter=True, sort=True)
    net: Money = money("Everything bought, returns taken off.", minor="net_minor")
    returned: Money = money("What came back.", minor="returned_minor")
    average: Money | None = money("Net amount per sale.", minor="average_minor")
    quantity: Amount = mapped(
        "Pieces of products, returns taken off.", column="quantity_milli", codec=PIECES
    )
    purchase_day_count: int = mapped("Days on which the customer bought.", filter=True, sort=True)
