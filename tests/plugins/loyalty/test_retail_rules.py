"""Points of UCI Online Retail by an earning rule, against figures computed without crmkit."""

import csv
import gzip
import json
from collections import Counter, defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from crmkit import RecordedLine
from crmkit_loyalty.earning import earn
from crmkit_loyalty.earning_matching import Circumstances
from crmkit_loyalty.settings import LoyaltySettings

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "online_retail"
RULES = [{"name": "pounds", "kind": "per_amount", "points": 1, "currency": "GBP"}]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the Online Retail data are not there")


def clean_invoices() -> dict[tuple[str, str], list[RecordedLine]]:
    """Return the lines that the reference counts, by customer and invoice."""
    invoices: defaultdict[tuple[str, str], list[RecordedLine]] = defaultdict(list)
    with gzip.open(FOLDER / "online_retail.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            price, quantity = Decimal(row["UnitPrice"]), int(row["Quantity"])
            if not row["CustomerID"] or row["InvoiceNo"][0] == "C" or quantity <= 0 or price <= 0:
                continue
            lines = invoices[(row["CustomerID"], row["InvoiceNo"])]
            minor = int((price * quantity * 100).to_integral_value(ROUND_HALF_UP))
            lines.append(
                RecordedLine(
                    len(lines) + 1, "product", row["StockCode"], None, None, None,
                    quantity * 1000, int(price * 10**6), 0, 0, minor, None,
                )
            )  # fmt: skip
    return invoices


def test_a_point_for_each_whole_pound_of_an_invoice_gives_the_points_of_the_reference() -> None:
    reference = json.loads((FOLDER / "reference.json").read_text())["points_and_tiers"]
    rules = LoyaltySettings.model_validate({"rules": RULES}).rule_set.rules
    points: Counter[str] = Counter()
    without = 0

    for (customer, _), lines in clean_invoices().items():
        earned = earn(rules, lines, Circumstances(date(2011, 1, 1), "GBP"))
        points[customer] += sum(each.points for each in earned)
        without += not earned

    assert sum(points.values()) == reference["points_total"] == 8_902_670
    assert dict(points.most_common(10)) == reference["points_top"]
    assert without == reference["invoices_with_0_points"]
