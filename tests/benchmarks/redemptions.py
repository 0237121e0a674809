"""What redeeming points costs beside a bare conditional UPDATE and an INSERT, durably committed.

`python tests/benchmarks/redemptions.py` lets one client and eight clients redeem for a while on
SQLite and PostgreSQL, in rounds that take turns with clients who run the two bare statements on
tables of their own in the same database. Each write commits to disk before the next.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

sys.path[:0] = [str(Path(__file__).parents[2])]

from sqlalchemy import text  # noqa: E402
from tests.benchmarks.shops import DIALECTS, empty_crm  # noqa: E402

from crmkit import Crm, CustomerInput  # noqa: E402
from crmkit_loyalty.adjusting import adjust  # noqa: E402
from crmkit_loyalty.lots import AccountKey  # noqa: E402
from crmkit_loyalty.point_kinds import POINTS, RedemptionTerms  # noqa: E402
from crmkit_loyalty.redeemed import Caller  # noqa: E402
from crmkit_loyalty.redeeming import redeem  # noqa: E402
from crmkit_loyalty.redeeming_rules import Purchase  # noqa: E402
from crmkit_loyalty.settings import LoyaltySettings  # noqa: E402

CUSTOMERS, LOTS, POINTS_EACH = 200, 5, 90_000
SETTINGS = LoyaltySettings(redemption=RedemptionTerms(value="0.01"))  # type: ignore[arg-type]
BARE_TABLES = (
    "CREATE TABLE bare_account (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL)",
    "CREATE TABLE bare_entry (id TEXT PRIMARY KEY, account INTEGER, points BIGINT, at TEXT)",
)
SPEND = "UPDATE bare_account SET balance = balance - 1 WHERE id = {} AND balance >= 1"
NOTE = "INSERT INTO bare_entry (id, account, points, at) VALUES ({0}, {0}, -1, {0})"
Write = Callable[[int], object]


def main() -> None:
    """Measure both and print one line of ratios for each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round")
    given = parser.parse_args()
    ratios = []
    for dialect in DIALECTS:
        with empty_crm(dialect) as crm:
            ways = {"redeem": _redeemer(crm, _fill(crm)), "bare": _bare(crm)}
            for clients in (1, 8):
                rates: dict[str, list[float]] = {name: [] for name in ways}
                for _ in range(given.rounds):
                    for name, make in ways.items():
                        rates[name].append(_rate(make, clients, given.seconds))
                found = {name: statistics.median(some) for name, some in rates.items()}
                spread = max(max(some) / min(some) for some in rates.values()) - 1
                print(
                    f"{dialect}, {clients} clients: {found['redeem']:,.0f} redemptions a second, "
                    f"bare {found['bare']:,.0f}; spread {spread:.0%}"
                )
                ratios.append(f"{dialect} {clients}: {found['bare'] / found['redeem']:.2f}x")
    print(
        f"cost of a redemption, durably, in bare UPDATE + INSERT (at most 3x): {', '.join(ratios)}"
    )


def _fill(crm: Crm) -> list[UUID]:
    rows = [CustomerInput("bench", str(number)) for number in range(CUSTOMERS)]
    ids = [result.id for result in crm.upsert_customers(rows) if result.id is not None]

    def give(session: Any, id_: UUID, number: int) -> object:
        return adjust(
            session, id_, POINTS_EACH, reason_code="opening_balance", reason="opening",
            key=f"k{number}", actor="bench", now=crm.clock.now(), settings=SETTINGS,
        )  # fmt: skip

    def fill(session: Any) -> None:
        for id_ in ids:
            for number in range(LOTS):
                give(session, id_, number)

    crm.write(fill, unhurried=True)
    return ids


def _redeemer(crm: Crm, ids: list[UUID]) -> Callable[[], Write]:
    numbers = count()

    def make() -> Write:
        random = Random(next(numbers))

        def write(number: int) -> object:
            account = AccountKey(random.choice(ids), POINTS)
            caller = Caller("bench", crm.clock.now(), f"{random.random()}-{number}")
            return crm.write(
                lambda session: redeem(session, account, 1, Purchase(), caller, SETTINGS)
            )

        return write

    return make


def _bare(crm: Crm) -> Callable[[], Write]:
    with crm.database.writer.begin() as connection:
        for sql in BARE_TABLES:
            connection.execute(text(sql))
        for number in range(CUSTOMERS):
            connection.execute(text(f"INSERT INTO bare_account VALUES ({number}, {10**9})"))
    return _bare_sqlite(crm) if crm.database.dialect == "sqlite" else _bare_postgresql(crm)


def _bare_sqlite(crm: Crm) -> Callable[[], Write]:
    import sqlite3

    path = crm.settings.url.removeprefix("sqlite:///")

    def make() -> Write:
        bare = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        bare.execute("PRAGMA synchronous = FULL")
        random = Random()

        def write(_number: int) -> None:
            account = random.randrange(CUSTOMERS)
            bare.execute("BEGIN IMMEDIATE")
            bare.execute(SPEND.format("?"), (account,))
            bare.execute(NOTE.format("?"), (str(random.random()), account, "now"))
            bare.execute("COMMIT")

        return write

    return make


def _bare_postgresql(crm: Crm) -> Callable[[], Write]:
    import psycopg

    def make() -> Write:
        bare = psycopg.connect(crm.settings.url.replace("+psycopg", ""), autocommit=False)
        random = Random()

        def write(_number: int) -> None:
            account = random.randrange(CUSTOMERS)
            bare.execute(SPEND.format("%s"), (account,))
            bare.execute(NOTE.format("%s"), (str(random.random()), account, "now"))
            bare.commit()

        return write

    return make


def _rate(make: Callable[[], Write], clients: int, seconds: float) -> float:
    """Return how many writes a second clients get done who write as fast as they can."""
    begin, done = Barrier(clients + 1), [0] * clients
    stop = [float("inf")]

    def work(number: int) -> None:
        write = make()
        begin.wait()
        while time.perf_counter() < stop[0]:
            write(done[number])
            done[number] += 1

    threads = [Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    stop[0] = time.perf_counter() + seconds
    begin.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
