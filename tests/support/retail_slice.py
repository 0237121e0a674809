"""Some customers of UCI Online Retail, moved to the days of `histories`."""

import csv
import gzip
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crmkit import CustomerRef, LineInput, TransactionInput
from histories import START, Happened

_FIRST = datetime(2010, 12, 1, 8, tzinfo=UTC)


def retail_slice(path: Path, days: int, every: int) -> list[Happened]:
    """Return what customers whose number is a multiple of `every` did in the first days.

    Cancellations are returns without a named sale; instants that are the same are moved apart.
    """
    invoices: defaultdict[tuple[str, str], list[LineInput]] = defaultdict(list)
    times: dict[str, datetime] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["CustomerID"] or int(row["CustomerID"]) % every:
                continue
            at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC)
            if at - _FIRST >= timedelta(days=days):
                break
            if float(row["UnitPrice"]) <= 0 or int(row["Quantity"]) == 0:
                continue
            times[row["InvoiceNo"]] = at
            lines = invoices[row["CustomerID"], row["InvoiceNo"]]
            lines.append(LineInput(row["StockCode"], row["Quantity"], row["UnitPrice"]))
    happened = []
    for number, ((customer, invoice), lines) in enumerate(invoices.items()):
        at = START + (times[invoice] - _FIRST) + timedelta(milliseconds=number)
        document = TransactionInput(
            "till", invoice, occurred_at=at, currency="CNY", lines=lines,
            kind="return" if invoice.startswith("C") else "sale",
            customer=CustomerRef(external_id=customer),
        )  # fmt: skip
        happened.append(Happened(at, document))
    return happened
