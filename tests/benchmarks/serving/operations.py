"""The five operations and what single requests are about."""

import time
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.benchmarks.serving.client import NUMBER

NAMES = ("Q1", "Q2", "Q3", "Q4", "M1")
WRITES = "M1"
SALE_SOURCE = "benchmark"


@dataclass(frozen=True, slots=True)
class Case:
    """What one request is about.

    Attributes:
        customer: Q1, Q2: whom to show; Q3, Q4: who stands before the page; M1: who buys.
        created_at: of the customer, as text with six decimals.
        number: M1: the number of the sale, in 16 digits.
    """

    customer: UUID
    created_at: str
    number: str = NUMBER.decode()

    def numbered(self) -> "Case":
        """Return the same with a number that no other has."""
        return replace(self, number=f"{time.time_ns() // 1000:016}")

    @property
    def sale(self) -> dict[str, Any]:
        """The sale as crmkit's TransactionInput; its lines follow from the customer."""
        first = self.customer.int % 3999
        return {
            "source": SALE_SOURCE,
            "externalId": f"b{self.number}",
            "occurredAt": "2026-11-20T10:30:00Z",
            "currency": "GBP",
            "store": f"store {first % 25:02}",
            "customer": {"id": f"cus_{self.customer.hex}"},
            "lines": [_line(first + turn) for turn in range(3)],
        }

    @property
    def total(self) -> int:
        """What the sale costs, in pence."""
        return sum(
            int(Decimal(line["unitPrice"]) * 100) * int(line["quantity"])
            for line in self.sale["lines"]
        )


def _line(sku: int) -> dict[str, str]:
    cents = 195 + sku * 7 % 2900
    return {
        "sku": f"sku{sku:05}",
        "description": f"article number {sku}",
        "category": f"category {sku % 30:02}",
        "quantity": str(1 + sku % 2),
        "unitPrice": f"{cents // 100}.{cents % 100:02}",
    }
