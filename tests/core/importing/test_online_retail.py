"""The whole of UCI Online Retail, against figures that were computed without crmkit."""

import csv
import gzip
import json
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crmkit import Crm, Settings, table_of
from crmkit.importing import ImportReport, import_transactions
from crmkit.migrating import upgrade
from crmkit.models import (
    Customer,
    CustomerMetrics,
    LineKind,
    Transaction,
    TransactionKind,
    TransactionLine,
)

_t, _line = table_of(Transaction), table_of(TransactionLine)


@pytest.fixture(scope="module")
def reference(online_retail: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((online_retail.parent / "reference.json").read_text())
    return figures


@pytest.fixture(scope="module")
def imported(online_retail: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Crm(Settings.load(tmp_path_factory.mktemp("retail"), plugins=())) as crm:
        upgrade(crm.database, crm.registry)
        yield crm, import_transactions(crm, online_retail, "online-retail")


def _figures(crm: Crm, *conditions: Any) -> tuple[int, int, int]:
    """Return documents, lines and net amount in pence."""
    statement = (
        select(func.count(_t.c.id.distinct()), func.count(), func.sum(_line.c.amount_minor))
        .join(_line, _line.c.transaction_id == _t.c.id)
        .where(*conditions)
    )
    with crm.read() as session:
        documents, lines, amount = session.execute(statement).one()
        return documents, lines, amount


def test_every_line_is_taken_and_the_sums_agree(
    imported: tuple[Crm, ImportReport], reference: dict[str, Any]
) -> None:
    crm, report = imported

    raw = reference["raw"]
    assert (report.lines, report.taken, report.known, report.rejected) == (541_909, 541_909, 0, 0)
    assert _figures(crm) == (raw["invoices"], raw["lines"], 974_774_793)
    assert report.reject_file is None


def test_customers_returns_and_corrections_agree(
    imported: tuple[Crm, ImportReport], reference: dict[str, Any]
) -> None:
    crm, _ = imported

    raw, returns = reference["raw"], reference["returns"]
    is_return, named = _t.c.kind == TransactionKind.RETURN, _t.c.customer_id.is_not(None)
    with crm.read() as session:
        assert session.scalar(select(func.count()).select_from(table_of(Customer))) == 4_372
    documents, lines, amount = _figures(crm, is_return)
    assert (documents, lines) == (
        raw["invoices_cancellation_C"],
        raw["lines_cancellation_C"],
    )
    assert amount == round(raw["amount_cancellation_C"] * 100)
    documents, lines, amount = _figures(crm, is_return, named)
    assert (documents, lines) == (returns["invoices"], returns["lines"])
    assert amount == round(returns["amount"] * 100)
    assert _figures(crm, _t.c.kind == TransactionKind.ADJUSTMENT)[1] == (
        raw["lines_qty_negative_not_C"] + raw["lines_adjust_A"]
    )


def test_lines_that_are_no_products_are_told_apart(
    imported: tuple[Crm, ImportReport], reference: dict[str, Any]
) -> None:
    crm, _ = imported

    raw = reference["raw"]
    assert _figures(crm, _line.c.kind == LineKind.BAD_DEBT)[1:] == (3, -1_106_206)
    assert _figures(crm, _line.c.kind == LineKind.STOCK_CORRECTION)[1:] == (
        raw["lines_qty_negative_not_C"],
        0,
    )
    top = {each["stock"]: each for each in reference["non_product_codes"]["top"]}
    for code, kind in {
        "POST": LineKind.SHIPPING,
        "AMAZONFEE": LineKind.FEE,
        "D": LineKind.DISCOUNT,
        "gift_0001_20": LineKind.VOUCHER,
        "DCGSSGIRL": LineKind.PRODUCT,
    }.items():
        own = (_line.c.sku == code, _line.c.kind == kind)
        corrections = (_line.c.sku == code, _line.c.kind == LineKind.STOCK_CORRECTION)
        lines = _figures(crm, *own)[1] + _figures(crm, *corrections)[1]
        assert (lines, _figures(crm, *own)[2]) == (
            top[code]["lines"],
            round(top[code]["amount"] * 100),
        )


def test_metrics_of_all_customers_sum_up_to_the_reference(
    imported: tuple[Crm, ImportReport], reference: dict[str, Any]
) -> None:
    crm, _ = imported

    with crm.read() as session:
        net, returned = session.execute(
            select(
                func.sum(table_of(CustomerMetrics).c.net_minor),
                func.sum(table_of(CustomerMetrics).c.returned_minor),
            )
        ).one()
    assert reference["with_customer"]["amount_net"] == pytest.approx(8_300_065.81, abs=0.01)
    assert net == 830_006_581
    assert returned == round(-reference["returns"]["amount"] * 100)


def test_a_second_import_of_everything_takes_nothing(
    imported: tuple[Crm, ImportReport], online_retail: Path
) -> None:
    crm, _ = imported

    again = import_transactions(crm, online_retail, "online-retail")

    assert (again.lines, again.taken, again.known, again.rejected) == (541_909, 0, 541_909, 0)


def test_the_first_lines_give_the_same_on_both_databases(
    crm: Crm, online_retail: Path, tmp_path: Path
) -> None:
    part = tmp_path / "part.csv"
    with gzip.open(online_retail, "rt", encoding="utf-8", newline="") as lines:
        part.write_text("".join(islice(lines, 20_001)), encoding="utf-8")
    with part.open(encoding="utf-8", newline="") as file:
        pence = [
            (Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) * 100).quantize(0, ROUND_HALF_UP)
            for row in csv.DictReader(file)
        ]

    report = import_transactions(crm, part, "online-retail")

    assert (report.lines, report.taken) == (20_000, 20_000)
    assert _figures(crm)[1:] == (20_000, sum(pence))
