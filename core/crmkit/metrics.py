"""Key figures per customer: moved along with each batch, rebuilt from transactions when asked.

What counts: sales, exchanges and returns that were not voided. Adjustments and anonymous
transactions do not.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, func, insert, select, true
from sqlmodel import Session

from crmkit.batches import RecordedTransaction, TransactionBatch
from crmkit.bulk import merge_rows, small_writes, table_of
from crmkit.columns import wire_instant
from crmkit.contributions import Difference
from crmkit.derived import differences
from crmkit.driver_sql import run_sql
from crmkit.metrics_queries import COUNTED, DERIVED, SALES
from crmkit.models import (
    CustomerCategoryMetrics,
    CustomerDay,
    CustomerMetrics,
    CustomerStoreMetrics,
    LineKind,
    TransactionKind,
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


class _Figures:
    """Sums over one customer's transactions in one currency."""

    __slots__ = ("first", "last", "net", "quantity", "returned", "returns", "sales")

    def __init__(self) -> None:
        self.first: str | None = None
        self.last: str | None = None
        self.sales = self.returns = self.net = self.returned = self.quantity = 0

    def add(self, each: RecordedTransaction, quantity: int) -> None:
        """Count one transaction."""
        self.net += each.total_minor
        self.quantity += quantity
        if each.kind == TransactionKind.RETURN:
            self.returns += 1
            self.returned -= each.total_minor
            return
        self.sales += 1
        at = wire_instant(each.occurred_at)
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)


def apply(session: Session, batch: TransactionBatch) -> None:
    """Add a batch to the figures of its customers, whose rows the caller has locked."""
    counted = [each for each in batch.transactions if each.customer_id is not None]
    voided = {each.customer_id for each in counted if each.kind == TransactionKind.VOID}
    added = [each for each in counted if each.customer_id not in voided and each.kind in COUNTED]
    if added:
        _add(session, added)
    undone = {each.original_id for each in counted if each.kind == TransactionKind.VOID}
    sold = [each for each in counted if each.kind in SALES and each.id not in undone]
    if sold:
        _promote(session, {each.customer_id for each in sold}, batch)
    if voided:
        rebuild(session, [id_ for id_ in voided if id_ is not None])


def _add(session: Session, added: Sequence[RecordedTransaction]) -> None:
    totals: dict[tuple[str, str], _Figures] = defaultdict(_Figures)
    days: dict[tuple[str, str, str], _Figures] = defaultdict(_Figures)
    categories: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    stores: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for each in added:
        key = (each.customer_id.hex, each.currency)  # type: ignore[union-attr]
        quantity = 0
        for line in each.lines:
            if line.kind == LineKind.PRODUCT:
                quantity += line.quantity_milli
                if line.category is not None:
                    sums = categories[(*key, line.category)]
                    sums[0] += line.amount_minor
                    sums[1] += line.quantity_milli
                    sums[2] += 1
        totals[key].add(each, quantity)
        days[(*key, each.business_on.isoformat())].add(each, quantity)
        if each.store is not None:
            sums = stores[(*key, each.store)]
            sums[0] += each.total_minor
            sums[1] += each.kind in SALES
    new_days = _count_new_days(session, days)
    with small_writes(session, len(days)):
        _merge_totals(session, totals, new_days)
        merge_rows(
            session,
            CustomerDay,
            _DAY,
            [(*key, f.sales, f.returns, f.net, f.quantity) for key, f in sorted(days.items())],
            dict.fromkeys(_DAY[3:], "add"),
        )
        _merge_sums(session, CustomerCategoryMetrics, _CATEGORY, categories)
        _merge_sums(session, CustomerStoreMetrics, _STORE, stores)


def _merge_totals(
    session: Session, totals: dict[tuple[str, str], _Figures], new_days: dict[tuple[str, str], int]
) -> None:
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
    sums: dict[tuple[str, str, str], list[int]],
) -> None:
    rows = [(*key, *values) for key, values in sorted(sums.items())]
    merge_rows(session, model, columns, rows, dict.fromkeys(columns[3:], "add"))


def _count_new_days(
    session: Session, days: dict[tuple[str, str, str], _Figures]
) -> dict[tuple[str, str], int]:
    """Return, for each customer and currency, how many of the days had no sale before."""
    fresh: dict[tuple[str, str], int] = defaultdict(int)
    with_sales = {key for key, figures in days.items() if figures.sales}
    customers = sorted({UUID(key[0]) for key in with_sales})
    if not customers:
        return fresh
    on = sorted(key[2] for key in with_sales)
    rows = run_sql(session, _DAYS_WITH_SALES, customers, on[0], on[-1]).fetchall()
    known = {(read_id(id_).hex, currency, str(day)) for id_, currency, day in rows}
    for key in with_sales - known:
        fresh[key[:2]] += 1
    return fresh


def _promote(session: Session, ids: set[UUID | None], batch: TransactionBatch) -> None:
    """Turn prospects, targets and dormant customers who just bought into customers."""
    wanted = sorted(id_ for id_ in ids if id_ is not None)
    now = wire_instant(batch.recorded_at)
    run_sql(session, _MAKE_CUSTOMERS, now, now, wanted)


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
