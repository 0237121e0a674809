"""Compare plans with the reference executor on as many random operations as wanted.

`python tests/benchmarks/graphql_differential.py --operations 100000`

Operations are drawn in rounds of 1,000, a seed and a pair of shops each, SQLite and PostgreSQL in
turn. `--first-round 80` goes on where 80 rounds were done; a mismatch names its seed, and
`--first-round SEED --operations 1000` shows it again.
"""

import argparse
import gc
import logging
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

sys.path[:0] = [str(Path(__file__).parents[2])]

from tests.benchmarks.shops import DIALECTS, _address  # noqa: E402
from tests.schema.engine.differential import Round  # noqa: E402
from tests.schema.engine.tally import Tally  # noqa: E402
from tests.schema.engine.twins import Stable  # noqa: E402

EACH = 1_000
_addresses: dict[str, str] = {}
_stables: dict[str, Stable] = {}  # of this process


def main() -> None:
    """Run rounds side by side; fails if there was any mismatch."""
    given = _arguments()
    rounds = range(given.first_round, given.first_round + -(-given.operations // EACH))
    total, started = Tally(), time.monotonic()
    with _places(given.dialect) as places, _pool(given.jobs, places) as pool:
        waiting = [
            pool.submit(run_round, given.dialect or DIALECTS[seed % len(DIALECTS)], seed)
            for seed in rounds
        ]
        for done, each in enumerate(as_completed(waiting), 1):
            found = each.result()
            total.add(found)
            for mismatch in found.mismatches:
                print(mismatch, flush=True)
            print(
                f"round {done} of {len(rounds)}: {total.compared:,} operations, "
                f"{total.covered / total.compared:.1%} by plan, {len(total.mismatches)} mismatches,"
                f" {time.monotonic() - started:,.0f} s",
                flush=True,
            )
    print(total.report())
    print(_summary(total, time.monotonic() - started))
    sys.exit(bool(total.mismatches))


def run_round(dialect: str, seed: int) -> Tally:
    """Compare the operations of one seed; called in a process of its own."""
    logging.disable(logging.CRITICAL)  # fields that fail on purpose would fill the output
    if dialect not in _stables:
        server = _addresses[dialect]
        folder = Path(mkdtemp(dir=_addresses["folder"]))
        _stables[dialect] = Stable(folder, server)
    with _stables[dialect].twins() as twins:
        return Round(twins, dialect, seed).run(EACH)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--first-round", type=int, default=0, help="seed of the first round")
    parser.add_argument("--dialect", choices=DIALECTS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    return parser.parse_args()


@contextmanager
def _places(dialect: str | None) -> Iterator[dict[str, str]]:
    """Give a folder for SQLite files and the address of a PostgreSQL server, if one is needed."""
    with TemporaryDirectory(prefix="crmkit_differential_") as folder, ExitStack() as opened:
        is_served = dialect != "sqlite"
        server = opened.enter_context(_address("postgresql", folder)) if is_served else ""
        yield {"folder": folder, "sqlite": "", "postgresql": server}


def _pool(jobs: int, places: dict[str, str]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (places,))


def _begin(places: dict[str, str]) -> None:
    _addresses.update(places)
    gc.set_threshold(100_000, 50, 50)  # plans and syntax trees are no cycles worth looking for


def _summary(total: Tally, seconds: float) -> str:
    names = {label for label, _ in total.by}
    roles = sum(each.startswith("as ") for each in names)
    dialects = ", ".join(each for each in DIALECTS if each in names)
    return (
        f"{total.compared:,} operations on {dialects}, {roles} kinds of callers: "
        f"{len(total.mismatches)} mismatches, {total.covered / total.compared:.1%} by plan, "
        f"{seconds:,.0f} s"
    )


if __name__ == "__main__":
    main()
