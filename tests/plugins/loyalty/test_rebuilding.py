from typing import Any, TypeAlias

import pytest
from sqlalchemy import text

Till: TypeAlias = Any

PLANTED = [
    ("UPDATE loyalty_account SET balance = balance + 1", "loyalty_account"),
    ("DELETE FROM loyalty_account", "loyalty_account"),
    ("UPDATE loyalty_lot SET points = points + 1 WHERE points = 70", "loyalty_lot"),
    ("UPDATE loyalty_allocation SET points = points - 1 WHERE points > 5", "loyalty_allocation"),
    ("DELETE FROM loyalty_allocation", "loyalty_allocation"),
]


def tell_a_story(till: Till) -> None:
    sale = till.sell("ann", ("tea", "7", "10.00"))
    till.adjust("ann", 20)
    till.adjust("ann", -60)
    till.take_back(None, sale, ("tea", "-4", "10.00"))
    till.sell("ann", ("cup", "1", "25.00"))
    till.sell("bob", ("cup", "1", "25.00"))


@pytest.mark.parametrize(("sql", "table"), PLANTED)
def test_a_planted_error_is_found_and_mended(till: Till, sql: str, table: str) -> None:
    tell_a_story(till)
    before = till.account("ann"), till.lots("ann"), till.account("bob")
    assert till.differences() == []

    with till.crm.database.write() as session:
        session.execute(text(sql))
    assert table in {found.table for found in till.differences()}

    till.rebuild()
    assert till.differences() == []
    assert (till.account("ann"), till.lots("ann"), till.account("bob")) == before


def test_a_wrong_balance_is_shown_beside_the_right_one(till: Till) -> None:
    till.adjust("ann", 30)

    with till.crm.database.write() as session:
        session.execute(text("UPDATE loyalty_account SET balance = 31"))

    (found,) = till.differences()
    assert found.stored is not None
    assert found.expected is not None
    assert (found.stored["balance"], found.expected["balance"]) == (31, 30)
    assert found.key == f"{till.ids['ann']}/points"
