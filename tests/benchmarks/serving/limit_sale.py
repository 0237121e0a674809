"""Recording a sale on SQLite by hand: the statements of record_sale.sql, one after the other."""

import sqlite3
from decimal import Decimal
from hashlib import md5
from typing import Any
from uuid import uuid4

import orjson

_SALE = """INSERT INTO "transaction" (id, kind, source, external_id, customer_id, occurred_at,
    recorded_at, business_on, channel, store, currency, total_minor, paid_minor, due_minor,
    fingerprint) VALUES (?, 'sale', ?, ?, ?, ?, ?, ?, 'store', ?, ?, ?, ?, 0, ?)
    ON CONFLICT (source, external_id) DO NOTHING"""
_LINE = """INSERT INTO transaction_line (transaction_id, position, kind, sku, description, category,
    quantity_milli, unit_price_micros, discount_minor, tax_minor, amount_minor)
    VALUES (?, ?, 'product', ?, ?, ?, ?, ?, 0, 0, ?)"""
_ACCOUNT = """INSERT INTO loyalty_account (customer_id, balance, debt) VALUES (?, ?, 0)
    ON CONFLICT (customer_id, point_kind) DO UPDATE SET balance = balance + excluded.balance
    RETURNING balance"""
_ENTRY = """INSERT INTO loyalty_ledger_entry (id, customer_id, kind, points_delta, balance_after,
    source, source_id, line, rule, explanation, idempotency_key, occurred_at, recorded_at)
    VALUES (?, ?, 'accrual', ?, ?, 'transaction', ?, 0, 'per_amount', ?, ?, ?, ?)"""
_LOT = """INSERT INTO loyalty_lot (id, customer_id, entry_id, points, active_from)
    VALUES (?, ?, ?, ?, ?)"""
_IS_OLD_DAY = """SELECT 1 FROM customer_day WHERE customer_id = ? AND currency = ?
    AND business_on = ? AND sale_count > 0"""
_METRICS = """INSERT INTO customer_metrics (customer_id, currency, first_sale_at, last_sale_at,
    sale_count, return_count, net_minor, returned_minor, quantity_milli, purchase_day_count)
    VALUES (?, ?, ?, ?, 1, 0, ?, 0, ?, ?) ON CONFLICT (customer_id, currency) DO UPDATE SET
    first_sale_at = min(first_sale_at, excluded.first_sale_at),
    last_sale_at = max(last_sale_at, excluded.last_sale_at), sale_count = sale_count + 1,
    net_minor = net_minor + excluded.net_minor,
    quantity_milli = quantity_milli + excluded.quantity_milli,
    purchase_day_count = purchase_day_count + excluded.purchase_day_count"""
_DAY = """INSERT INTO customer_day (customer_id, currency, business_on, sale_count, return_count,
    net_minor, quantity_milli) VALUES (?, ?, ?, 1, 0, ?, ?)
    ON CONFLICT (customer_id, currency, business_on) DO UPDATE SET sale_count = sale_count + 1,
    net_minor = net_minor + excluded.net_minor,
    quantity_milli = quantity_milli + excluded.quantity_milli"""
_CATEGORY = """INSERT INTO customer_category_metrics (customer_id, currency, category, net_minor,
    quantity_milli, line_count) VALUES (?, ?, ?, ?, ?, 1)
    ON CONFLICT (customer_id, currency, category) DO UPDATE SET
    net_minor = net_minor + excluded.net_minor, line_count = line_count + 1,
    quantity_milli = quantity_milli + excluded.quantity_milli"""
_STORE = """INSERT INTO customer_store_metrics (customer_id, currency, store, net_minor, sale_count)
    VALUES (?, ?, ?, ?, 1) ON CONFLICT (customer_id, currency, store) DO UPDATE SET
    net_minor = net_minor + excluded.net_minor, sale_count = sale_count + 1"""


def record_sale(connection: sqlite3.Connection, given: dict[str, Any]) -> dict[str, Any]:
    """Record one sale of a known customer and return what crmkit answers for it."""
    id_, customer = uuid4().hex, given["customer"]["id"].removeprefix("cus_")
    at, currency, lines = given["occurredAt"], given["currency"], _lines(given["lines"])
    day, points = at[:10], sum(line[-1] for line in lines) // 100
    at = at.replace("Z", ".000000Z")
    total, quantity = sum(line[-1] for line in lines), sum(line[3] for line in lines)
    key, do = (customer, currency), connection.execute
    do("BEGIN IMMEDIATE")
    mark = md5(orjson.dumps(given), usedforsecurity=False).hexdigest()
    sale = (id_, given["source"], given["externalId"], customer, at, at, day, given["store"],
            currency, total, total, mark)  # fmt: skip
    if not do(_SALE, sale).rowcount:
        raise RuntimeError("the benchmark sends no sale twice")
    connection.executemany(_LINE, [(id_, at, *line) for at, line in enumerate(lines, 1)])
    (balance,) = do(_ACCOUNT, (customer, points)).fetchone()
    entry = uuid4().hex
    why = orjson.dumps({"version": 1, "amount_minor": total, "currency": currency,
                        "points_per_major_unit": "1"}).decode()  # fmt: skip
    named = f"accrual:per_amount:{id_}"
    do(_ENTRY, (entry, customer, points, balance, id_, why, named, at, at))
    do(_LOT, (uuid4().hex, customer, entry, points, at))
    is_new_day = do(_IS_OLD_DAY, (*key, day)).fetchone() is None
    do(_METRICS, (*key, at, at, total, quantity, is_new_day))
    do(_DAY, (*key, day, total, quantity))
    categories = [(*key, category, amount, milli) for _, _, category, milli, _, amount in lines]
    connection.executemany(_CATEGORY, categories)
    do(_STORE, (*key, given["store"], total))
    do("COMMIT")
    amount = {"amount": f"{total // 100}.{total % 100:02}", "currency": currency}
    answer = {"id": f"txn_{id_}", "total": amount, "customer": {"loyalty": {"balance": balance}}}
    return {"outcome": "TAKEN", "transaction": answer}


def _lines(given: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    lines = []
    for line in given:
        quantity, price = Decimal(line["quantity"]), Decimal(line["unitPrice"])
        lines.append(
            (line["sku"], line["description"], line["category"], int(quantity * 1000),
             int(price * 1_000_000), int(quantity * price * 100))
        )  # fmt: skip
    return lines
