import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit import Crm
from crmkit.importing import ImportReport, import_transactions

HEADING = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
Importer = Callable[..., ImportReport]


def _line(
    invoice: str = "536365",
    sku: str = "85123A",
    description: str = "LANTERN",
    quantity: str = "6",
    when: str = "2010-12-01 08:26:00",
    price: str = "2.55",
    customer: str = "17850",
) -> str:
    return f"{invoice},{sku},{description},{quantity},{when},{price},{customer},United Kingdom"


@pytest.fixture
def line() -> Callable[..., str]:
    """Give a function that writes one line of an Online Retail file."""
    return _line


@pytest.fixture
def import_lines(crm: Crm, tmp_path: Path) -> Importer:
    """Import lines as an Online Retail file; bytes are written as they are."""

    def run(*lines: str | bytes, name: str = "sales.csv", **options: Any) -> ImportReport:
        encoded = [each.encode() if isinstance(each, str) else each for each in lines]
        content = b"\n".join([HEADING.encode(), *encoded]) + b"\n"
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return import_transactions(crm, path, options.pop("mapping", "online-retail"), **options)

    return run
