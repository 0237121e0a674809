"""Key figures per customer: moved along with each batch, rebuilt from transactions when asked.

What counts: sales, exchanges and returns that were not voided. Adjustments and anonymous
transactions do not.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, true
from sqlmodel import Session

from crmkit.batches import TransactionBatch
from crmkit.bulk import merge_rows, small_writes, table_of, write_sql
from crmkit.columns import wire_instant
from crmkit.contributions import Difference
from crmkit.derived import differences
from crmkit.driver_sql import run_sql
from crmkit.metrics_queries import DERIVED
from crmkit.metrics_sums import Figures, Key, KeyAnd, Sums, sums_of
from crmkit.models import (
    CustomerCategoryMetrics,
    CustomerDay,
    CustomerMetrics,
    CustomerStoreMetrics,
)
from crmkit.named_rows import read_id

_METRICS = (
    "customer_id", "currency", "first_sale_at", "last_sale_at", "sale_count", "return_count",
    "net_minor", "returned_minor", "quantity_milli", "purchase_day_count",
)  # fmt: skip
_DAY = (
    "customer_id", "currency", "business_on", "sale_count", "return_count", "net_minor",
    "quantity_milli",
)  # fmt: skip
_CATEGORY = ("customer_id", "currency", "category", "net_minor", "quantity_milli", "line_count")
_STORE = ("customer_id", "currency", "store", "net_minor", "sale_count")

_DAYS_WITH_SALES = """SELECT customer_id, currency, business_on FROM customer_day
    WHERE customer_id IN ?ids AND business_on BETWEEN ? AND ? AND sale_count > 0"""
_MAKE_CUSTOMERS = """UPDATE customer SET lifecycle = 'customer', lifecycle_since = ?, updated_at = ?
    WHERE id IN ?ids AND lifecycle IN ('prospect', 'target', 'dormant')"""


def apply(session: Session, batch: TransactionBatch) -> None:
    """Add a batch that is stored to the figures of its customers, whose rows are locked."""
    sums = sums_of(batch)
    new_days = count_new_days(session, sums)
    add(session, sums, new_days, batch.recorded_at)
    rebuild_voided(session, sums)


def count_new_days(session: Session, sums: Sums) -> dict[Key, int]:
    """Return, for each customer and currency, on how many of the days nothing was sold before."""
    fresh: dict[Key, int] = defaultdict(int)
    with_sales = sums.days_with_sales()
    customers = sorted({UUID(key[0]) for key in with_sales})
    if not customers:
        return fresh
    on = sorted(key[2] for key in with_sales)
    rows = run_sql(session, _DAYS_WITH_SALES, customers, on[0], on[-1]).fetchall()
    known = {(read_id(id_).hex, currency, str(day)) for id_, currency, day in rows}
    for key in with_sales - known:
        fresh[key[:2]] += 1
    return fresh


def add(session: Session, sums: Sums, new_days: dict[Key, int], now: datetime) -> None:
    """Add to the figures, and make customers of those who just bought; reads nothing."""
    with small_writes(session, len(sums.days)):
        _merge_totals(session, sums.totals, new_days)
        merge_rows(
            session,
            CustomerDay,
            _DAY,
            [(*key, f.sales, f.returns, f.net, f.quantity) for key, f in sorted(sums.days.items())],
            dict.fromkeys(_DAY[3:], "add"),
        )
        _merge_sums(session, CustomerCategoryMetrics, _CATEGORY, sums.categories)
        _merge_sums(session, CustomerStoreMetrics, _STORE, sums.stores)
        if sums.buyers:
            at = wire_instant(now)
            write_sql(session, _MAKE_CUSTOMERS, at, at, sums.buyers)


def rebuild_voided(session: Session, sums: Sums) -> None:
    """Rebuild the figures of those of whom something was voided."""
    if sums.voided:
        rebuild(session, sums.voided)


def _merge_totals(session: Session, totals: dict[Key, Figures], new_days: dict[Key, int]) -> None:
    rows = [
        (*key, f.first, f.last, f.sales, f.returns, f.net, f.returned, f.quantity, new_days[key])
        for key, f in sorted(totals.items())
    ]
    how = {
        "first_sale_at": "least",
        "last_sale_at": "greatest",
        **dict.fromkeys(_METRICS[4:], "add"),
    }
    merge_rows(session, CustomerMetrics, _METRICS, rows, how)  # type: ignore[arg-type]


def _merge_sums(
    session: Session,
    model: type[CustomerCategoryMetrics] | type[CustomerStoreMetrics],
    columns: tuple[str, ...],
    sums: dict[KeyAnd, list[int]],
) -> None:
    rows = [(*key, *values) for key, values in sorted(sums.items())]
    merge_rows(session, model, columns, rows, dict.fromkeys(columns[3:], "add"))


def rebuild(session: Session, customers: Iterable[UUID] | None = None) -> int:
    """Make the stored figures what the transactions give; returns how many rows were written.

    Args:
        customers: only these; None rebuilds everybody's.
    """
    only = None if customers is None else sorted(customers)
    written = 0
    for model, query in DERIVED:
        table = table_of(model)
        own = true() if only is None else table.c.customer_id.in_(only)
        session.execute(delete(table).where(own))
        source = query(only)
        names = [column.name for column in source.selected_columns]
        session.execute(insert(table).from_select(names, source))
        written += session.scalar(select(func.count()).select_from(table).where(own)) or 0
    return written


def check(session: Session) -> list[Difference]:
    """Return every stored row of the figures that is not what the transactions give."""
    found: list[Difference] = []
    for model, query in DERIVED:
        found += differences(session, model, query(None))
    return found
