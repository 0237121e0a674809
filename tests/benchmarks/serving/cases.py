"""Which customers the requests are about."""

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from tests.benchmarks.serving.filling import Shop
from tests.benchmarks.serving.operations import NAMES, WRITES, Case
from tests.benchmarks.serving.shop_rows import SIZES, customer_id

LATEST = 300
"""Pages begin behind one of this many latest customers."""


def cases(shop: Shop, count: int = 400) -> dict[str, list[Case]]:
    """Return the cases of each operation, the same for each server.

    Sales go to the first tenth of the customers, so that what others show stays as it is.
    """
    size, some = SIZES[shop.size], random.Random(7)
    tenth = size.customers // 10
    buyers = [_case(shop, some.randrange(tenth)) for _ in range(count)]
    shown = [_case(shop, some.randrange(tenth, size.customers)) for _ in range(count)]
    latest = min(LATEST, size.customers // 2)
    pages = [_case(shop, some.randrange(size.customers - latest, size.customers))
             for _ in range(count)]  # fmt: skip
    return {
        name: buyers if name == WRITES else pages if name in ("Q3", "Q4") else shown
        for name in NAMES
    }


def _case(shop: Shop, number: int) -> Case:
    id_ = customer_id(SIZES[shop.size], number)
    at = datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)
    return Case(id_, f"{at.isoformat()[:19]}.000000Z")


def recorded(shop: Shop, address: str, external_id: str) -> tuple[Any, ...]:
    """Return what was written of a sale: total, lines, their sum, points, balance, figures."""
    sql = f"""SELECT t.total_minor, (SELECT count(*) FROM transaction_line l
        WHERE l.transaction_id = t.id), (SELECT sum(l.amount_minor) FROM transaction_line l
        WHERE l.transaction_id = t.id), (SELECT sum(e.points_delta) FROM loyalty_ledger_entry e
        WHERE e.source_id = t.id), (SELECT sum(p.points) FROM loyalty_lot p
        JOIN loyalty_ledger_entry e ON e.id = p.entry_id WHERE e.source_id = t.id),
        (SELECT a.balance FROM loyalty_account a WHERE a.customer_id = t.customer_id
            AND a.point_kind = 'points'),
        (SELECT m.net_minor FROM customer_metrics m WHERE m.customer_id = t.customer_id)
        - (SELECT sum(o.total_minor) FROM "transaction" o WHERE o.customer_id = t.customer_id),
        (SELECT d.net_minor FROM customer_day d WHERE d.customer_id = t.customer_id
        AND d.business_on = t.business_on) - (SELECT sum(o.total_minor) FROM "transaction" o
        WHERE o.customer_id = t.customer_id AND o.business_on = t.business_on)
        FROM "transaction" t WHERE t.source = 'benchmark' AND t.external_id = '{external_id}'"""
    return _rows(shop, address, sql)[0]


def _rows(shop: Shop, address: str, sql: str) -> list[tuple[Any, ...]]:
    if shop.dialect == "sqlite":
        with closing(sqlite3.connect(address)) as connection:
            return connection.execute(sql).fetchall()
    import psycopg

    with psycopg.connect(address) as opened:
        return opened.execute(sql).fetchall()
