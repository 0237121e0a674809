"""What it costs to look at everybody's tier, as a multiple of the bare sum per customer.

Run by hand: `python tests/benchmarks/recompute_tiers.py [--customers 100000] [--sales 1000000]`.
Each round lowers the limits by a hundredth, so that the review has to look at every customer, and
writes what follows. The bare sides are one statement each, that sums by customer and fetches the
sums: of all sales, and of the days that they add up to. All take turns in one process. Absolute
times say nothing about another machine; the ratios do.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlmodel import SQLModel

import crmkit_tiers
from crmkit import Crm, insert_rows, new_id, table_of, wire_instant
from crmkit.metrics_queries import days
from crmkit.models import Customer, CustomerDay, Transaction
from crmkit_tiers.models import TierChange
from crmkit_tiers.reviewing import review_page
from crmkit_tiers.settings import TiersSettings

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.shops import DIALECTS, empty_crm

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)
_CHUNK = 50_000


def club(limit: int) -> TiersSettings:
    """Return three tiers by the sales of a year; another limit makes other rules."""

    def spend(amount: int) -> dict[str, Any]:
        return {"metric": "core.net_spend", "window": "rolling", "days": 365, "at_least": amount}

    tiers = [
        {"name": "member"},
        {"name": "silver", "entry": spend(limit), "stay": spend(limit // 2)},
        {"name": "gold", "entry": spend(4 * limit), "stay": spend(3 * limit)},
    ]
    return TiersSettings.model_validate({"sets": {"club": {"currency": "CNY", "tiers": tiers}}})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--sales", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for dialect in DIALECTS:
        with empty_crm(dialect, crmkit_tiers) as crm:
            fill(crm, arguments.customers, arguments.sales)
            measure(dialect, crm, arguments.rounds)


def fill(crm: Crm, customers: int, sales: int) -> None:
    """Make customers with sales on random days of two years, and the days they add up to."""
    draw = random.Random(1)
    ids = [new_id() for _ in range(customers)]
    at = wire_instant(NOW)
    names = ("id", "display_name", "lifecycle", "lifecycle_since", "created_at", "updated_at")
    people = [(each.hex, "", "customer", at, at, at) for each in ids]
    crm.write(lambda session: insert_rows(session, Customer, names, people), unhurried=True)
    first = TODAY - timedelta(days=730)
    moments = [
        (first + timedelta(days=day), f"{first + timedelta(days=day)}T04:00:00.000000Z")
        for day in range(730)
    ]
    for start in range(0, sales, _CHUNK):
        rows = list(_sales(draw, ids, moments, range(start, min(start + _CHUNK, sales)), at))
        record = partial(insert_rows, model=Transaction, columns=_SALE, rows=rows)
        crm.write(record, unhurried=True)
    source = days(None)
    into = [column.name for column in source.selected_columns]
    crm.write(
        lambda session: session.execute(insert(table_of(CustomerDay)).from_select(into, source)),
        unhurried=True,
    )
    if crm.database.dialect == "postgresql":
        crm.write(lambda session: session.connection().exec_driver_sql("ANALYZE"), unhurried=True)


_SALE = (
    "id", "kind", "source", "external_id", "customer_id", "occurred_at", "business_on", "currency",
    "total_minor", "paid_minor", "due_minor", "fingerprint", "recorded_at",
)  # fmt: skip


def _sales(
    draw: random.Random, ids: list[UUID], moments: list[Any], numbers: range, at: str
) -> Iterator[tuple[Any, ...]]:
    for number in numbers:
        day, moment = draw.choice(moments)
        amount = draw.randrange(500, 40_000)
        yield (
            new_id().hex, "sale", "till", str(number), draw.choice(ids).hex, moment,
            day.isoformat(), "CNY", amount, amount, 0, "", at,
        )  # fmt: skip


def bare(crm: Crm, model: type[SQLModel], column: str) -> int:
    """Sum a column by customer in one statement."""
    table = table_of(model)
    statement = select(table.c.customer_id, func.sum(table.c[column])).group_by(table.c.customer_id)
    with crm.read(unhurried=True) as session:
        return len(session.execute(statement).all())


def recompute(crm: Crm, settings: TiersSettings) -> int:
    """Look at everybody, page by page; returns how many were looked at."""
    total = 0
    while done := crm.write(
        lambda session: review_page(session, settings, crm.registry.metrics, now=NOW, today=TODAY),
        unhurried=True,
    ):
        total += done
    return total


def changes(crm: Crm) -> int:
    """Count all changes there ever were."""
    with crm.read(unhurried=True) as session:
        return session.scalar(select(func.count()).select_from(table_of(TierChange))) or 0


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Return seconds by the clock, and what the work gave."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def measure(dialect: str, crm: Crm, rounds: int) -> None:
    """Print each round, and the ratio of the medians."""
    took, looked = timed(lambda: recompute(crm, club(1_000)))
    print(f"{dialect:10} first look at {looked:,} customers {took:.2f} s", flush=True)
    sums: list[float] = []
    of_days: list[float] = []
    tiers: list[float] = []
    for number in range(rounds):
        sums.append(timed(lambda: bare(crm, Transaction, "total_minor"))[0])
        of_days.append(timed(lambda: bare(crm, CustomerDay, "net_minor"))[0])
        before = changes(crm)
        settings = club(990 - 10 * number)
        seconds, looked = timed(partial(recompute, crm, settings))
        tiers.append(seconds)
        print(
            f"{dialect:10} sums {sums[-1]:.2f} s, of days {of_days[-1]:.2f} s, "
            f"{looked:,} tiers {seconds:.2f} s, "
            f"of which {changes(crm) - before:,} changed",
            flush=True,
        )
    took = statistics.median(tiers)
    ratios = [took / statistics.median(each) for each in (sums, of_days)]
    print(f"RESULT {dialect} recompute / sums {ratios[0]:.2f}, of days {ratios[1]:.2f}", flush=True)


if __name__ == "__main__":
    main()
