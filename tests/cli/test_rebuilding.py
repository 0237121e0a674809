import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit import Crm, Settings
from crmkit.testing import sale

Run = Callable[..., Any]


@pytest.fixture
def spoiled(shop: Path) -> Path:
    """Give a shop whose figures say 99 sales of a customer who bought once."""
    with Crm(Settings.load(shop)) as crm:
        crm.record_transactions([sale("T1", customer="ada")], create_missing_customers=True)
    with sqlite3.connect(shop / "crmkit.sqlite3") as connection:
        connection.execute("UPDATE customer_metrics SET sale_count = 99")
    connection.close()
    return shop


def test_check_finds_stored_figures_right(crmkit: Run, shop: Path) -> None:
    checked = crmkit("rebuild", "--check")

    assert checked.exit_code == 0
    assert "What is stored is what the facts give: metrics" in checked.out


@pytest.mark.usefixtures("spoiled")
def test_check_lists_rows_that_differ_and_exits_with_one(crmkit: Run) -> None:
    checked = crmkit("rebuild", "--check", "--json")

    (difference,) = checked.object["differences"]
    assert checked.exit_code == 1
    assert (difference["check"], difference["table"]) == ("metrics", "customer_metrics")
    assert (difference["stored"]["sale_count"], difference["expected"]["sale_count"]) == (99, 1)


@pytest.mark.usefixtures("spoiled")
def test_check_says_which_columns_differ(crmkit: Run) -> None:
    assert "sale_count 99, not 1" in crmkit("rebuild", "--check").out


@pytest.mark.usefixtures("spoiled")
def test_a_rebuild_puts_figures_right(crmkit: Run) -> None:
    rebuilt = crmkit("rebuild", "--only", "metrics", "--json")

    assert rebuilt.object["written"].keys() == {"metrics"}
    assert crmkit("rebuild", "--check").exit_code == 0


def test_rebuilding_something_unknown_is_wrong_use(crmkit: Run) -> None:
    refused = crmkit("rebuild", "--only", "weather")

    assert refused.exit_code == 2
    assert "metrics" in refused.err
