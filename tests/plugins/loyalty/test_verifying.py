"""What `crmkit loyalty verify` finds; entries are spoiled with the guard of the table taken off."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from sqlalchemy import text

from crmkit import Report
from crmkit_loyalty.verifying import run

Till: TypeAlias = Any

GUARDS = {
    "sqlite": "DROP TRIGGER loyalty_entry_no_update",
    "postgresql": "ALTER TABLE loyalty_ledger_entry DISABLE TRIGGER ALL",
}
SPOILED = [
    ("UPDATE loyalty_account SET balance = 67 WHERE balance = 66", "account", 67, 66),
    ("UPDATE loyalty_ledger_entry SET balance_after = 210 WHERE balance_after = 211",
     "balance after", 210, 211),
    ("UPDATE loyalty_ledger_entry SET points_delta = 212, balance_after = 212"
     " WHERE points_delta = 211", "lot has", 211, 212),
    ("UPDATE loyalty_lot SET points = 212 WHERE points = 211", "lot has", 212, 211),
    ("UPDATE loyalty_allocation SET points = 212 WHERE points = 45", "lot gives", 312, "0 to 211"),
    ("UPDATE loyalty_allocation SET points = 101 WHERE points = 100", "takes", 101, "0 to 100"),
    ("DELETE FROM loyalty_allocation WHERE points = 45", "left in lots", 111, 66),
    ("DELETE FROM loyalty_account", "account", 0, 66),
]  # fmt: skip


def tell_a_story(till: Till) -> None:
    tea, pot = ("tea", "2", "45.50"), ("pot", "1", "120.00")
    sale = till.sell("ann", tea, pot)
    till.take_back(None, sale, ("tea", "-1", "45.50"))
    till.adjust("ann", -100)


def table(report: Report, name: str) -> list[dict[str, Any]]:
    (found,) = [each for each in report.findings if each.name == name]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_a_sound_book_is_proved_and_every_row_of_it_counted(till: Till) -> None:
    tell_a_story(till)

    report = run(till.crm)

    counts = {row["table"]: row["rows"] for row in table(report, "checks")}
    assert report.is_good
    assert table(report, "violations") == []
    assert counts == {
        "loyalty_account": 1,
        "loyalty_ledger_entry": 3,
        "loyalty_lot": 1,
        "loyalty_allocation": 2,
    }


@pytest.mark.parametrize("shortfall", ["debt", "forgive"])
def test_debts_and_forgiven_points_are_sound(
    till_factory: Callable[..., Till], shortfall: str
) -> None:
    till = till_factory(shortfall=shortfall)
    sale = till.sell("ann", ("tea", "1", "50.00"))
    till.adjust("ann", -40)
    till.take_back(None, sale, ("tea", "-1", "50.00"))
    assert run(till.crm).is_good

    till.sell("ann", ("cup", "1", "60.00"))

    assert run(till.crm).is_good


@pytest.mark.parametrize(("sql", "check", "stored", "expected"), SPOILED)
def test_a_spoiled_figure_is_named_with_the_right_one(
    till: Till, sql: str, check: str, stored: int, expected: object
) -> None:
    tell_a_story(till)
    with till.crm.database.write() as session:
        session.execute(text(GUARDS[till.crm.database.dialect]))
        session.execute(text(sql))

    report = run(till.crm)

    found = [row for row in table(report, "violations") if check in row["check"]]
    assert not report.is_good
    assert (stored, expected) in [(row["stored"], row["expected"]) for row in found]
    assert {row["customer"] for row in found} == {till.ids["ann"]}
    counts = {row["what_holds"]: row["violations"] for row in table(report, "checks")}
    assert counts[found[0]["check"]] == len(found)
