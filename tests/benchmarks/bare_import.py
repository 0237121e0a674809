"""The floor that importing is measured against: parse, group, convert, insert; nothing else.

One pass over the file, no validation, no idempotency, no metrics, no journal, no rejects, one
commit. The rows and the tables, with all their indexes and constraints, are those of crmkit.
"""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from crmkit import Crm, new_id

_LONDON = ZoneInfo("Europe/London")
_LINES = 20_000
_COLUMNS = {
    "customer": (
        "id", "display_name", "lifecycle", "lifecycle_since", "created_at", "updated_at",
    ),
    "customer_external_id": ("source", "external_id", "customer_id"),
    "transaction": (
        "id", "kind", "source", "external_id", "customer_id", "occurred_at", "recorded_at",
        "business_on", "channel", "store", "staff", "currency", "total_minor", "paid_minor",
        "due_minor", "original_id", "fingerprint",
    ),
    "transaction_line": (
        "transaction_id", "position", "kind", "sku", "description", "category", "brand",
        "quantity_milli", "unit_price_micros", "discount_minor", "tax_minor", "amount_minor",
        "original_position",
    ),
}  # fmt: skip
Rows = dict[str, list[tuple[Any, ...]]]


def bare_import(crm: Crm, file: Path) -> int:
    """Insert the rows of an Online Retail file into crmkit's tables; returns its lines."""
    with crm.database.writer.begin() as connection:
        insert = _executemany if connection.dialect.name == "sqlite" else _copy
        total = 0
        for rows in _batches(file):
            total += len(rows["transaction_line"])
            for table, values in rows.items():
                insert(connection, table, values)
    return total


def _executemany(connection: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    columns = _COLUMNS[table]
    marks = ", ".join("?" * len(columns))
    sql = f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({marks})'
    if rows:
        connection.exec_driver_sql(sql, rows)


def _copy(connection: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    sql = f'COPY "{table}" ({", ".join(_COLUMNS[table])}) FROM STDIN'
    with connection.connection.cursor().copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


def _batches(file: Path) -> Iterator[Rows]:
    rows: Rows = {table: [] for table in _COLUMNS}
    customers: dict[str, str] = {}
    opened: Any = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        next(reader)
        for document, group in groupby(reader, lambda row: row[0]):
            _convert(rows, customers, document, list(group))
            if len(rows["transaction_line"]) >= _LINES:
                yield rows
                for values in rows.values():
                    values.clear()
    yield rows


def _convert(rows: Rows, customers: dict[str, str], document: str, group: list[list[str]]) -> None:
    """Bring one document into the form in which it is stored."""
    transaction_id, total = new_id().hex, 0
    for position, (_, sku, description, pieces, _, price, _, _) in enumerate(group, 1):
        quantity, micros = int(pieces) * 1000, round(float(price) * 1_000_000)
        amount = round(quantity * micros / 10_000_000)
        total += amount
        line = (transaction_id, position, "product", sku, description or None, None, None)
        rows["transaction_line"].append((*line, quantity, micros, 0, 0, amount, None))
    first = group[0]
    local = datetime.fromisoformat(first[4]).replace(tzinfo=_LONDON)
    at = local.astimezone(UTC).isoformat()
    kind = "return" if document[0] == "C" else "adjustment" if first[3][0] == "-" else "sale"
    customer, customer_id = first[6], None
    if customer and customer not in customers:
        customers[customer] = new_id().hex
        rows["customer"].append((customers[customer], "", "customer", at, at, at))
        rows["customer_external_id"].append(("bare", customer, customers[customer]))
    if customer:
        customer_id = customers[customer]
    # The few documents whose lines lie scattered become two here, hence the made-up suffix.
    number = f"{document}-{uuid4().hex[:8]}"
    day = local.date().isoformat()
    head = (transaction_id, kind, "bare", number, customer_id, at, at, day, None, None, None)
    rows["transaction"].append((*head, "GBP", total, total, 0, None, transaction_id))
