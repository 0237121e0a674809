"""What sharing commits brings writes to SQLite: durable writes a second, alone and together.

`python tests/benchmarks/group_commit.py --folder /on/the/disk/that/counts` compares one client,
many clients whose every write commits for itself, and many clients that share commits. It does so
for the mutation that records a sale of three lines with points, whose requests share batches, too,
as they do in a server; and for one small insert, which leaves out what the domain costs.

A disk may take longer than this machine's: `--sync-ms` adds a wait to each commit.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Thread
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2])]

from sqlalchemy import text  # noqa: E402

from crmkit import Actor, Crm, Settings  # noqa: E402
from crmkit.migrating import upgrade  # noqa: E402
from crmkit.shared_connection import SharedConnection  # noqa: E402
from crmkit_schema.joining import Joining  # noqa: E402
from crmkit_schema.requests import GraphQLRequest  # noqa: E402
from crmkit_schema.runtime import compose  # noqa: E402
from crmkit_schema.workers import Workers  # noqa: E402

CUSTOMERS = 500
RECORD = """mutation ($input: RecordTransactionsInput!) { recordTransactions(input: $input) {
    ... on RecordTransactionsSuccess { rows { outcome transaction { id } } } } }"""
SMALL = text("INSERT INTO small (number) VALUES (:number)")
Write = Callable[[int], object]


@dataclass(frozen=True)
class Way:
    """How writes come in.

    Attributes:
        clients: how many threads write at once.
        writes_max: how many writes may share a commit.
    """

    name: str
    clients: int
    writes_max: int


@dataclass(frozen=True)
class Rate:
    """What one round measured.

    Attributes:
        writes: durable writes per second.
        cpu_us: processor microseconds of this process per write.
        commits: commits per write.
        commit_ms: how long one took.
    """

    writes: float
    cpu_us: float
    commits: float
    commit_ms: float


class Disk:
    """Counts and times the commits of writing connections, and makes each take longer."""

    def __init__(self, added: float) -> None:
        self.added, self.commits, self.seconds = added, 0, 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every connection until the block ends."""
        real = SharedConnection.make_durable

        def make_durable(self_: SharedConnection) -> None:
            started = time.perf_counter()
            real(self_)
            if self.added:
                time.sleep(self.added)
            self.seconds += time.perf_counter() - started
            self.commits += 1

        setattr(SharedConnection, "make_durable", make_durable)  # noqa: B010 mypy
        try:
            yield
        finally:
            setattr(SharedConnection, "make_durable", real)  # noqa: B010 mypy


def main() -> None:
    """Measure in interleaved rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to measure")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each round")
    parser.add_argument("--sync-ms", type=float, default=0.0, help="added to each commit")
    given = parser.parse_args()
    many = given.clients
    ways = (
        Way("1 client", 1, 64),
        Way(f"{many} clients, a commit each", many, 1),
        Way(f"{many} clients, sharing commits", many, 64),
    )
    disk, ratios = Disk(given.sync_ms / 1000), []
    with _crm(given.folder) as crm, disk.watching():
        with Till(crm) as till:
            works = (("sale with points", till.record), ("small insert", _inserts(crm)))
            measured = [(name, _measure(crm, disk, write, ways, given)) for name, write in works]
        for name, found in measured:
            _print(name, found)
            alone, apart, shared = (rate.writes for rate in found.values())
            ratios.append(f"{name} {shared / alone:.1f}x one client, {shared / apart:.1f}x apart")
    print(f"sharing commits, {many} clients, +{given.sync_ms:g} ms a commit: {'; '.join(ratios)}")


@contextmanager
def _crm(folder: Path) -> Iterator[Crm]:
    with TemporaryDirectory(prefix="crmkit_bench_", dir=folder) as name:
        url = f"sqlite:///{name}/crmkit.sqlite3"
        settings = Settings.load(Path(name), database_url=url, plugins=("loyalty",))
        with Crm(settings) as crm:
            upgrade(crm.database, crm.registry)
            yield crm


class Till:
    """Records sales by the mutation, from any thread, as requests to a server are served."""

    def __init__(self, crm: Crm) -> None:
        self._crm, self._schema = crm, compose(crm)
        self._actor = Actor("till", "admin", frozenset(crm.registry.permissions))
        self._joining, self._loop = Joining(Workers(40)), asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Till":
        self._thread.start()
        for number in range(CUSTOMERS):
            request = self._request(-number - 1, createMissingCustomers=True)
            assert not self._schema.execute(request, self._actor).errors
        self.record(-CUSTOMERS - 1)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def record(self, number: int) -> None:
        """Record a sale; where no commit is shared, no batch is either."""
        request = self._request(number)
        joint = self._schema.joint(request, self._actor)
        if joint is None or self._crm.database.group.writes_max == 1:
            answer = self._schema.execute(request, self._actor).encoded()
        else:
            serving = self._joining.serve(joint, self._loop.time() + 60)
            found = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
            answer = found or self._schema.execute(request, self._actor).encoded()
        assert b'"TAKEN"' in answer, answer

    def _request(self, number: int, **options: Any) -> GraphQLRequest:
        lines = (("tea", "1", "10.00"), ("cup", "2", "3.50"), ("pot", "1", "20.00"))
        sale = {
            "source": "till", "externalId": f"T{number}", "occurredAt": "2026-11-20T10:30:00Z",
            "currency": "GBP", "store": "s1",
            "customer": {"source": "till", "externalId": f"c{number % CUSTOMERS}"},
            "lines": [
                {"sku": sku, "quantity": quantity, "unitPrice": price}
                for sku, quantity, price in lines
            ],
        }  # fmt: skip
        return GraphQLRequest(RECORD, {"input": {"transactions": [sale], **options}})


def _inserts(crm: Crm) -> Write:
    crm.write(lambda session: session.execute(text("CREATE TABLE small (number INTEGER)")))
    return lambda number: crm.write(lambda session: session.execute(SMALL, {"number": number}))


def _measure(
    crm: Crm, disk: Disk, write: Write, ways: tuple[Way, ...], given: argparse.Namespace
) -> dict[str, Rate]:
    numbers = count(1)
    found: dict[str, list[Rate]] = {way.name: [] for way in ways}
    for turn in range(given.rounds):
        for way in ways if turn % 2 else ways[::-1]:
            crm.database.group.writes_max = way.writes_max
            found[way.name].append(_round(disk, write, numbers, way.clients, given.seconds))
    return {
        name: Rate(
            *(
                statistics.median(getattr(r, each) for r in rates)
                for each in ("writes", "cpu_us", "commits", "commit_ms")
            )
        )
        for name, rates in found.items()
    }


def _round(disk: Disk, write: Write, numbers: Iterator[int], clients: int, seconds: float) -> Rate:
    ready, done = Barrier(clients + 1), [0] * clients
    end = [0.0]

    def client(at: int) -> None:
        ready.wait()
        while time.perf_counter() < end[0]:
            write(next(numbers))
            done[at] += 1

    threads = [Thread(target=client, args=(at,)) for at in range(clients)]
    for thread in threads:
        thread.start()
    commits, waited = disk.commits, disk.seconds
    cpu, started = time.process_time(), time.perf_counter()
    end[0] = started + seconds
    ready.wait()
    for thread in threads:
        thread.join()
    took, total = time.perf_counter() - started, sum(done)
    cpu_us = (time.process_time() - cpu) / total * 1e6
    commits, waited = disk.commits - commits, disk.seconds - waited
    return Rate(total / took, cpu_us, commits / total, waited / commits * 1e3)


def _print(name: str, found: dict[str, Rate]) -> None:
    print(f"{name}:")
    for way, rate in found.items():
        print(
            f"  {way:30} {rate.writes:8,.0f} writes/s  {rate.cpu_us:6,.0f} CPU us"
            f"  {rate.commits:.2f} commits a write of {rate.commit_ms:.1f} ms"
        )


if __name__ == "__main__":
    main()
