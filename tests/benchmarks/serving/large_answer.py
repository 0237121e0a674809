"""What an answer of 10,000 objects costs: 99 customers with 100 transactions each.

One customer more and the usual limit of cost would refuse it.

`python -m tests.benchmarks.serving.large_answer` prints CPU of server and database per answer.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from uuid import UUID

from tests.benchmarks.serving.apis import CRMKIT
from tests.benchmarks.serving.asking import ask, request
from tests.benchmarks.serving.filling import DIALECTS, FOLDER, filled
from tests.benchmarks.serving.measuring import client, sample
from tests.benchmarks.serving.operations import Case
from tests.benchmarks.serving.postgres import postgres_server
from tests.benchmarks.serving.servers import SERVERS
from tests.benchmarks.serving.starting import started

_NAME = "Large"
_QUERY = """query Large { customers(first: 99) { nodes { id displayName transactions(first: 100) {
    nodes { id occurredAt kind store totalMinor currency } } } } }"""
_OBJECTS = 99 + 99 * 100
_API = replace(CRMKIT, documents={_NAME: _QUERY}, variables=lambda *_: {})
_CASE = Case(UUID(int=0), "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    found = []
    with postgres_server(given.folder / "postgres") as postgres, client() as by:
        for dialect in DIALECTS:
            server = next(s for s in SERVERS if s.has_token and s.dialect == dialect)
            pair = replace(server, api=_API), filled(given.folder, "L", dialect, postgres)
            with started([pair], given.folder, postgres) as (up,):
                nodes = ask(up, _NAME, _CASE, {})["customers"]["nodes"]
                count = sum(1 + len(each["transactions"]["nodes"]) for each in nodes)
                if count != _OBJECTS:
                    raise SystemExit(f"{count} objects instead of {_OBJECTS}")
                requests = [request(up, _NAME, _CASE, {})]
                rounds = [
                    sample(by, up, requests, given.seconds, postgres)
                    for _ in range(given.rounds + 1)
                ]
            server_ms = median(each.server_cpu for each in rounds[1:]) / 1000
            database_ms = median(each.database_cpu for each in rounds[1:]) / 1000
            found.append(f"{dialect} server {server_ms:.1f} ms, database {database_ms:.1f} ms")
    print(f"LARGE ANSWER of {_OBJECTS:,} objects: {'; '.join(found)}")


if __name__ == "__main__":
    main()
