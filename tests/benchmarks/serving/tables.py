"""What was measured, as tables and one line."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import exp, log
from statistics import median

from tests.benchmarks.serving.measuring import Sample
from tests.benchmarks.serving.servers import SERVERS

SPREAD_MAX = 0.3
"""Where rounds differ by more than this part of their median, a ratio is not judged."""
Found = Mapping[tuple[str, str], Sequence[Sample]]
"""The samples of each server and operation."""
Cost = Callable[[Sample], float]
_PEERS = ("strawberry", "mercurius", "postgraphile")
_LIMITS = {each.name: each.limit for each in SERVERS}


def server_cpu(of: Sample) -> float:
    """Return the CPU time of the server's process."""
    return of.server_cpu


def total_cpu(of: Sample) -> float:
    """Return the CPU time of server and database."""
    return of.server_cpu + of.database_cpu


def middle(samples: Iterable[Sample], cost: Cost) -> float:
    """Return the median."""
    return median(cost(each) for each in samples)


def spread(samples: Iterable[Sample], cost: Cost) -> float:
    """Return how far rounds lie apart, as a part of their median."""
    costs = [cost(each) for each in samples]
    return (max(costs) - min(costs)) / median(costs)


def print_operation(name: str, found: Found, statements: Mapping[tuple[str, str], float]) -> None:
    """Print the table of an operation."""
    print(f"\n{name}: CPU in us a request, medians; ~ where rounds differ by more than 30 %")
    head = ("server", "server CPU", "spread", "database", "both / limit", "req/s", "p50 ms")
    print(_row((*head, "p99 ms", "bytes", "SQL")))
    for server in (each for each in _LIMITS if (each, name) in found):
        samples, counted = found[server, name], statements.get((server, name))
        limit = found.get((_LIMITS[server], name))
        mark = "" if spread(samples, server_cpu) <= SPREAD_MAX else "~"
        per_limit = middle(samples, total_cpu) / middle(limit, total_cpu) if limit else 0
        cells = (
            server,
            f"{mark}{middle(samples, server_cpu):,.0f}",
            f"{spread(samples, server_cpu):.0%}",
            f"{middle(samples, lambda each: each.database_cpu):,.0f}",
            f"{per_limit:.2f}" if limit else "-",
            f"{middle(samples, lambda each: each.per_second):,.0f}",
            f"{middle(samples, lambda each: each.p50) / 1000:.1f}",
            f"{middle(samples, lambda each: each.p99) / 1000:.1f}",
            f"{samples[0].bytes:,}",
            "n/a" if counted is None else f"{counted:g}",
        )
        print(_row(cells))


def _row(cells: Sequence[str]) -> str:
    return f"{cells[0]:18}" + "".join(f"{cell:>13}" for cell in cells[1:])


def markdown(found: Found, cost: Cost) -> str:
    """Return a cost of all servers and operations, and how many times the limit's it is."""
    names = list(dict.fromkeys(name for _, name in found))
    lines = [f"| server | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for server in (each for each in _LIMITS if (each, names[0]) in found):
        cells = [_cell(found, server, name, cost) for name in names]
        lines.append(f"| {server} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: Found, server: str, name: str, cost: Cost) -> str:
    samples, limit = found[server, name], found.get((_LIMITS[server], name), ())
    own = middle(samples, cost)
    mark = "" if spread(samples, cost) <= SPREAD_MAX else "~"
    return f"{mark}{own:,.0f}" + (f" ({own / middle(limit, cost):.2f})" if limit else "")


def summary(found: Found) -> str:
    """Return one line: how many times crmkit's cost the others' is, and crmkit's the limit's."""
    parts = []
    for own in ("crmkit_pg", "crmkit_sqlite"):
        kind = own.removeprefix("crmkit")
        compared = [_compared(found, f"{peer}{kind}", own, server_cpu) for peer in _PEERS]
        compared.append(_compared(found, own, _LIMITS[own], total_cpu))
        if any(compared):
            parts.append(f"{own}: {', '.join(filter(None, compared))}")
    return "RATIOS " + "; ".join(parts)


def _compared(found: Found, many: str, base: str, cost: Cost) -> str:
    names = [name for server, name in found if server == many and (base, name) in found]
    if not names:
        return ""
    ratios = {n: middle(found[many, n], cost) / middle(found[base, n], cost) for n in names}
    unsure = [
        n
        for n in names
        if max(spread(found[many, n], cost), spread(found[base, n], cost)) > SPREAD_MAX
    ]
    mean = exp(sum(map(log, ratios.values())) / len(ratios))
    worst = max(ratios.values()) if many.startswith("crmkit") else min(ratios.values())
    each = " ".join(f"{n}{'~' if n in unsure else ''} {ratio:.2f}" for n, ratio in ratios.items())
    return f"{many} / {base} {mean:.2f} (worst {worst:.2f}: {each})"
