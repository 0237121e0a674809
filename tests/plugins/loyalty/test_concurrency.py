import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from crmkit import Crm
from crmkit_loyalty import adjusting
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.settings import LoyaltySettings

Till: TypeAlias = Any
TAKERS = 64


def take(crm: Crm, customer: UUID, points: int, key: str) -> Any:
    """Take points; None if there were too few."""

    def work(session: Session) -> Any:
        return adjusting.adjust(
            session, customer, points, reason_code="goodwill", reason="thanks", key=key,
            actor="ann", now=crm.clock.now(), settings=LoyaltySettings(),
        )  # fmt: skip

    try:
        return crm.write(work)
    except InsufficientPoints:
        return None


def take_many(crm: Crm, customer: UUID, keys: list[str], threads: int) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda key: take(crm, customer, -10, key), keys))


TAKER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID
from crmkit import Crm, Settings
from crmkit_loyalty import adjusting
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.settings import LoyaltySettings

crm = Crm(Settings(database_url=sys.argv[1], plugins=("loyalty",)))

def take(n):
    try:
        crm.write(lambda session: adjusting.adjust(
            session, UUID(sys.argv[2]), -10, reason_code="goodwill", reason="thanks",
            key=f"{sys.argv[3]}{n}", actor="ann", now=crm.clock.now(), settings=LoyaltySettings(),
        ))
    except InsufficientPoints:
        return 0
    return 1

with ThreadPoolExecutor(32) as pool:
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(pool.map(take, range(32))))
"""


def test_64_takers_get_exactly_the_points_there_are(till: Till) -> None:
    till.adjust("ann", 305)

    entries = take_many(till.crm, till.ids["ann"], [f"k{n}" for n in range(TAKERS)], TAKERS)

    accepted = [entry for entry in entries if entry is not None]
    assert len(accepted) == 30
    assert sorted(entry.balance_after for entry in accepted) == list(range(5, 300, 10))
    assert till.account("ann") == (5, 0)
    assert till.differences() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_takers_in_two_processes_get_exactly_the_points_there_are(till: Till) -> None:
    till.adjust("ann", 305)
    address = (till.crm.settings.url, str(till.ids["ann"]))

    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, *address, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in "ab"
    ]  # fmt: skip
    for taker in takers:
        assert taker.stdout is not None
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write("go\n")
        taker.stdin.flush()
    accepted = [int(taker.communicate(timeout=120)[0]) for taker in takers]

    assert sum(accepted) == 30
    assert till.account("ann") == (5, 0)
    assert till.differences() == []


def test_48_calls_with_one_key_have_one_effect_and_one_answer(till: Till) -> None:
    till.adjust("ann", 10)

    entries = take_many(till.crm, till.ids["ann"], ["k"] * 48, 48)

    assert len({entry.model_dump_json() for entry in entries if entry is not None}) == 1
    assert None not in entries
    assert till.deltas("ann") == [("adjustment", 10), ("adjustment", -10)]


def test_the_first_points_of_a_customer_may_come_from_many_at_once(till: Till) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: take(till.crm, till.ids["ann"], 5, f"k{n}"), range(16)))

    assert till.account("ann") == (80, 0)
    assert till.differences() == []


def test_sales_and_adjustments_at_once_lose_nothing(till: Till) -> None:
    def work(n: int) -> None:
        if n % 2:
            take(till.crm, till.ids["ann"], 3, f"k{n}")
        else:
            till.record(till.document("sale", "ann", [("tea", "1", "7.00")]))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(64)))

    assert till.account("ann") == (32 * 3 + 32 * 7, 0)
    assert till.differences() == []


def test_two_returns_of_one_sale_at_once_take_back_their_sum(till: Till) -> None:
    sale = till.sell("ann", ("tea", "7", "1.50"))
    documents = [
        till.document("return", None, [("tea", "-1", "1.50")], original=sale) for _ in range(7)
    ]

    with ThreadPoolExecutor(7) as pool:
        list(pool.map(till.record, documents))

    assert till.account("ann") == (0, 0)
    assert sum(points for _, points in till.deltas("ann")) == 0


def test_a_larger_batch_takes_no_more_statements(till: Till) -> None:
    def statements(size: int) -> int:
        sales = [till.document("sale", "ann", [("tea", "2", "9.00")]) for _ in range(size)]
        known = till.sell("bob", ("tea", str(size), "9.00"))
        returns = [
            till.document("return", None, [("tea", "-1", "9.00")], original=original)
            for original in [known, *(sale.external_id for sale in sales)]
        ]
        loose = [till.document("return", "bob", [("cup", "-1", "2.00")]) for _ in range(size)]
        return count_statements(till.crm, lambda: till.record(*sales, *returns, *loose))

    till.sell("ann", ("tea", "1", "9.00"))  # opens her account

    assert statements(160) <= statements(80)


def count_statements(crm: Crm, work: Any) -> int:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if "loyalty_" in sql:
            seen.append(sql)

    event.listen(crm.database.writer, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(crm.database.writer, "before_cursor_execute", note)
    assert seen
    return len(seen)


def test_a_write_that_fails_leaves_no_points(till: Till) -> None:
    def work(session: Session) -> None:
        adjusting.adjust(
            session, till.ids["ann"], 10, reason_code="goodwill", reason="thanks", key="k",
            actor="ann", now=till.crm.clock.now(), settings=till.settings,
        )  # fmt: skip
        assert session.execute(text("SELECT balance FROM loyalty_account")).scalar() == 10
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        till.crm.write(work)

    assert till.entries("ann") == []
    assert till.account("ann") == (0, 0)
