from typing import Any, TypeAlias

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crmkit.migrating import check, downgrade, upgrade

Till: TypeAlias = Any


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE loyalty_ledger_entry SET points_delta = 1000",
        "UPDATE loyalty_ledger_entry SET reason = 'other'",
        "DELETE FROM loyalty_ledger_entry",
    ],
)
def test_the_database_refuses_to_change_entries(till: Till, sql: str) -> None:
    till.adjust("ann", 30)

    with pytest.raises(DBAPIError, match="never change"), till.crm.database.write() as session:
        session.execute(text(sql))

    assert till.deltas("ann") == [("adjustment", 30)]


@pytest.mark.parametrize(
    "change", ["balance = -1", "debt = -1", "debt = 5"], ids=["negative", "negative debt", "both"]
)
def test_the_database_refuses_impossible_accounts(till: Till, change: str) -> None:
    till.adjust("ann", 30)

    with pytest.raises(DBAPIError), till.crm.database.write() as session:
        session.execute(text(f"UPDATE loyalty_account SET {change}"))


def test_a_customer_with_points_cannot_be_deleted(till: Till) -> None:
    till.adjust("ann", 30)
    with till.crm.database.write() as session:
        session.execute(text("DELETE FROM customer_external_id"))

    with pytest.raises(DBAPIError), till.crm.database.write() as session:
        session.execute(text("DELETE FROM customer"))


def test_tables_are_as_the_models_say(till: Till) -> None:
    assert check(till.crm.database, till.crm.registry) == []


def test_its_tables_can_be_taken_back_and_made_again(till: Till) -> None:
    till.adjust("ann", 30)

    downgrade(till.crm.database, till.crm.registry, "loyalty", "base")
    upgrade(till.crm.database, till.crm.registry)

    assert till.adjust("ann", 5).balance_after == 5
    assert check(till.crm.database, till.crm.registry) == []
