"""What serving costs: crmkit, its peers and the limit, side by side.

Run it from the repository's root, with `pip install -e .[bench]`:

    python -m tests.benchmarks.serving.run --size S --servers limit,crmkit,strawberry

All servers are up at once, one is loaded at a time, rounds take turns in changing order. CPU time
comes from the scheduler's counters, for the server's threads and for PostgreSQL's processes. Before
anything is timed each server's answers are compared with the limit's. The shop is made once in
--folder and used again. It ends with one line that starts with RATIOS.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.serving.asking import ask, request, walk
from tests.benchmarks.serving.cases import LATEST, cases
from tests.benchmarks.serving.checking import require_equal
from tests.benchmarks.serving.filling import FOLDER, filled
from tests.benchmarks.serving.measuring import Client, Sample, client
from tests.benchmarks.serving.measuring import sample as measured
from tests.benchmarks.serving.operations import NAMES
from tests.benchmarks.serving.postgres import PostgresServer, postgres_server
from tests.benchmarks.serving.servers import SERVERS, Server
from tests.benchmarks.serving.shop_rows import SIZES
from tests.benchmarks.serving.starting import Running, started
from tests.benchmarks.serving.statements import counted_statements
from tests.benchmarks.serving.tables import (
    markdown,
    print_operation,
    server_cpu,
    summary,
    total_cpu,
)

_COMPARED, _COUNTED = 20, 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for."""
    given = _arguments(arguments)
    chosen = [each for each in SERVERS if _is_chosen(each, given.servers)]
    lacking = {each.name: each.missing(given.folder) for each in chosen}
    for name, what in lacking.items():
        if what:
            print(f"missing: {name} lacks {what}")
    chosen = [each for each in chosen if not lacking[each.name]]
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(given.folder / "postgres"))
        shops = [filled(given.folder, given.size, each.dialect, postgres) for each in chosen]
        pairs = zip(chosen, shops, strict=True)
        up = stack.enter_context(started(pairs, given.folder, postgres))
        bench = _Bench(up, postgres, given.operations)
        bench.check()
        if given.rounds:
            bench.count()
            bench.load(stack.enter_context(client()), given.rounds, given.seconds)
            bench.report(given.json)
    print(f"All answers are equal: {', '.join(each.server.name for each in up)}.")
    if given.rounds:
        print(summary(bench.found))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--servers", help="names or their beginnings, with commas; all if left out")
    parser.add_argument("--operations", default=",".join(NAMES), help="such as Q1,M1")
    parser.add_argument("--rounds", type=int, default=5, help="0 only compares the answers")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="keeps the shops")
    parser.add_argument("--json", type=Path, help="file for every sample")
    given = parser.parse_args(arguments)
    given.operations = given.operations.split(",")
    given.folder = given.folder.absolute()
    return given


def _is_chosen(server: Server, names: str | None) -> bool:
    """Limits are always there: every answer is compared with theirs."""
    if names is None:
        return True
    wanted = tuple(names.split(","))
    kinds = {each.dialect for each in SERVERS if each.name.startswith(wanted)}
    return server.name.startswith(wanted) or (
        server.name == server.limit and server.dialect in kinds
    )


class _Bench:
    """Running servers and what has been found out about them."""

    def __init__(
        self, up: Sequence[Running], postgres: PostgresServer, names: Sequence[str]
    ) -> None:
        self._up, self._postgres, self._names = up, postgres, names
        self._cases = cases(up[0].shop)
        self._cursors = {each.server.name: walk(each, LATEST) for each in up}
        self._statements: dict[tuple[str, str], float] = {}
        self.found: dict[tuple[str, str], list[Sample]] = {}

    def check(self) -> None:
        """Compare all answers with the limits'."""
        limits = {each.server.name: each for each in self._up}
        for each in self._up:
            for name in self._names:
                some = self._cases[name][:_COMPARED]
                cursors = self._cursors[each.server.name]
                require_equal(each, limits[each.server.limit], name, some, cursors)

    def count(self) -> None:
        """Count the statements of each operation on PostgreSQL, one request after the other."""
        for each in (up for up in self._up if up.server.dialect == "postgresql"):
            cursors = self._cursors[each.server.name]
            for name in self._names:
                some = [case.numbered() for case in self._cases[name][:_COUNTED]]
                with counted_statements(self._postgres) as counted:
                    for case in some:
                        ask(each, name, case, cursors)
                self._statements[each.server.name, name] = counted[0] / _COUNTED

    def load(self, by: Client, rounds: int, seconds: float) -> None:
        """Load the servers in turns, the first time without looking."""
        for turn in range(-1, rounds):
            for name in self._names:
                for each in self._up if turn % 2 else reversed(self._up):
                    cursors = self._cursors[each.server.name]
                    requests = [request(each, name, case, cursors) for case in self._cases[name]]
                    taken = measured(
                        by, each, requests, 1.0 if turn < 0 else seconds, self._postgres
                    )
                    if turn >= 0:
                        self.found.setdefault((each.server.name, name), []).append(taken)

    def report(self, file: Path | None) -> None:
        """Print the tables, and keep every sample if there is a file for them."""
        for name in self._names:
            print_operation(name, self.found, self._statements)
        print(f"\n{markdown(self.found, server_cpu)}\n\n{markdown(self.found, total_cpu)}\n")
        if file is not None:
            samples = [
                {"server": server, "operation": name, "samples": [each.as_json() for each in taken]}
                for (server, name), taken in self.found.items()
            ]
            file.write_text(json.dumps(samples, indent=1))


if __name__ == "__main__":
    main()
