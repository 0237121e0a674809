from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import text

from crmkit import new_id
from crmkit.migrating import downgrade, upgrade

Till: TypeAlias = Any


def last_entries(till: Till) -> list[UUID]:
    with till.crm.read() as session:
        found = session.execute(text("SELECT last_entry_id FROM loyalty_account")).scalars()
        return [UUID(str(each)) for each in found]


def test_ids_of_an_account_say_the_order_also_when_clocks_run_back(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    descending = sorted((new_id() for _ in range(8)), reverse=True)
    monkeypatch.setattr("crmkit_loyalty.lots.new_id", lambda: descending.pop(0))

    till.adjust("ann", 30)
    till.sell("ann", ("tea", "1", "7.00"))
    till.adjust("ann", -20)
    till.record(*(till.document("sale", "ann", [("tea", "1", "1.00")]) for _ in range(3)))

    balances = [entry.balance_after for entry in till.entries("ann")]
    assert balances == [30, 37, 17, 18, 19, 20]
    assert till.differences() == []


def test_the_latest_entry_is_known_again_after_a_rebuild(till: Till) -> None:
    till.adjust("ann", 30)
    latest = till.adjust("ann", -10).id
    with till.crm.database.write() as session:
        session.execute(text("UPDATE loyalty_account SET last_entry_id = NULL"))
    assert [found.table for found in till.differences()] == ["loyalty_account"]

    till.rebuild()

    assert last_entries(till) == [latest]


def test_books_from_before_get_their_latest_entries(till: Till) -> None:
    till.adjust("ann", 30)
    latest = till.adjust("ann", -10).id

    downgrade(till.crm.database, till.crm.registry, "loyalty", "0001")
    upgrade(till.crm.database, till.crm.registry)

    assert last_entries(till) == [latest]
