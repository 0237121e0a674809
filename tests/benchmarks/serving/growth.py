"""How the cost of reading one customer grows with their number: 10^4, 10^5, 10^6 customers.

`python -m tests.benchmarks.serving.growth` prints CPU per request of server and database together,
and the slope of its logarithm over the logarithm of the number of customers: 0 is no growth.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from math import log
from pathlib import Path
from statistics import median

from tests.benchmarks.serving.asking import request
from tests.benchmarks.serving.cases import cases
from tests.benchmarks.serving.filling import DIALECTS, FOLDER, filled
from tests.benchmarks.serving.measuring import Client, client, sample
from tests.benchmarks.serving.postgres import PostgresServer, postgres_server
from tests.benchmarks.serving.servers import SERVERS
from tests.benchmarks.serving.shop_rows import SIZES
from tests.benchmarks.serving.starting import Running, started
from tests.benchmarks.serving.tables import total_cpu

_SIZES = ("G4", "G5", "G6")
_READS = ("Q1", "Q2")
_CUSTOMERS = 5_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(_SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    sizes, slopes = given.sizes.split(","), []
    with postgres_server(given.folder / "postgres") as postgres, client() as by:
        for dialect in DIALECTS:
            server = next(s for s in SERVERS if s.has_token and s.dialect == dialect)
            shops = [filled(given.folder, size, dialect, postgres) for size in sizes]
            with ExitStack() as stack:
                pairs = [(server, shop) for shop in shops]
                up = stack.enter_context(started(pairs, given.folder, postgres))
                costs = _costs(by, up, postgres, given.rounds, given.seconds)
            for name in _READS:
                each = [costs[size, name] for size in sizes]
                print(f"{dialect} {name}: " + " ".join(f"{cost:,.0f}" for cost in each) + " us")
                numbers = [SIZES[size].customers for size in sizes]
                slopes.append(f"{dialect} {name} {slope(numbers, each):+.3f}")
    print(f"GROWTH log-log slope: {', '.join(slopes)}")


def _costs(
    by: Client, up: Sequence[Running], postgres: PostgresServer, rounds: int, seconds: float
) -> dict[tuple[str, str], float]:
    """Return the median cost of each size and read; the first round is not counted."""
    found: dict[tuple[str, str], list[float]] = {}
    for turn in range(-1, rounds):
        for name in _READS:
            for each in up if turn % 2 else reversed(up):
                some = cases(each.shop, _CUSTOMERS)[name]
                requests = [request(each, name, case, {}) for case in some]
                taken = sample(by, each, requests, seconds, postgres)
                if turn >= 0:
                    found.setdefault((each.shop.size, name), []).append(total_cpu(taken))
    return {key: median(costs) for key, costs in found.items()}


def slope(numbers: Sequence[float], costs: Sequence[float]) -> float:
    """Return the least-squares slope of log(cost) over log(number)."""
    x, y = [log(each) for each in numbers], [log(each) for each in costs]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    over = sum((a - x_mean) ** 2 for a in x)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / over


if __name__ == "__main__":
    main()
