"""Core's metrics, registered as a plugin registers its own."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from crmkit import Crm, LineInput
from crmkit.testing import NOON, sale

DAY = timedelta(days=1)


def days_of(crm: Crm, name: str, which: str = "daily") -> list[tuple[int, str | None, int]]:
    """Return day of the month, currency and sum, for a shop with one customer."""
    selected: Any = getattr(crm.registry.metrics[name], which)()
    sums: dict[tuple[int, str | None], int] = {}
    with crm.read() as session:
        rows = selected.subquery()
        for day, currency, value in session.execute(
            select(rows.c.business_on, rows.c.currency, rows.c.value)
        ):
            sums[(day.day, currency)] = sums.get((day.day, currency), 0) + int(value)
    return sorted((*key, value) for key, value in sums.items() if value)


def test_core_registers_four_metrics(crm: Crm) -> None:
    assert {name: each.unit for name, each in crm.registry.metrics.items()} == {
        "core.net_spend": "money",
        "core.sale_count": "sales",
        "core.quantity": "pieces",
        "core.purchase_days": "days",
    }


def test_a_metrics_days_add_up_to_what_a_customer_did(crm: Crm) -> None:
    crm.record_transactions(
        [
            sale("1", ("tea", 3, 10), customer="ann"),
            sale("2", ("cup", 1, 5), customer="ann", currency="EUR"),
            sale("3", ("cup", 1, 5), customer="ann", occurred_at=NOON + DAY),
            sale("4", ("tea", -1, 10), customer="ann", kind="return", occurred_at=NOON + DAY),
            sale("5", ("pot", 1, 90), customer="ann"),
            sale("6", LineInput("loss", -9, 1), customer="ann", kind="adjustment"),
            sale("7", ("tea", 8, 10)),
        ],
        create_missing_customers=True,
    )
    crm.record_transactions([sale("8", lines=[], kind="void", original="5")])

    spend, pieces = "core.net_spend", "core.quantity"
    assert days_of(crm, spend) == [(15, "CNY", 3000), (15, "EUR", 500), (16, "CNY", -500)]
    assert days_of(crm, spend, "without_returns") == [
        (15, "CNY", 3000), (15, "EUR", 500), (16, "CNY", 500),
    ]  # fmt: skip
    assert days_of(crm, pieces) == [(15, None, 4000)]
    assert days_of(crm, pieces, "without_returns") == [(15, None, 4000), (16, None, 1000)]
    assert days_of(crm, "core.sale_count") == [(15, None, 2), (16, None, 1)]
    assert days_of(crm, "core.purchase_days") == [(15, None, 1), (16, None, 1)]
