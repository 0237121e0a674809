"""What reads cost by plan, by the reference executor, and by SQL written by hand.

`python tests/benchmarks/graphql_reads.py` prints CPU microseconds of this process per request, the
median of interleaved rounds. The database's own CPU is not in it, except SQLite's.
"""

import argparse
import asyncio
import itertools
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path[:0] = [str(Path(__file__).parents[2])]

import orjson  # noqa: E402
import psycopg  # noqa: E402
from graphql import get_operation_ast  # noqa: E402
from tests.benchmarks.limit_queries import limit_queries  # noqa: E402
from tests.benchmarks.shops import DIALECTS, empty_crm  # noqa: E402

from crmkit import Actor, Crm  # noqa: E402
from crmkit.access import ADMIN, create_token  # noqa: E402
from crmkit.clock import FixedClock  # noqa: E402
from crmkit.demo import generate  # noqa: E402
from crmkit_schema.app import create_app  # noqa: E402
from crmkit_schema.requests import GraphQLRequest  # noqa: E402
from crmkit_schema.runtime import ComposedSchema  # noqa: E402

FIELDS = "id displayName givenName familyName gender birthOn language lifecycle createdAt updatedAt"
QUERIES = {
    "Q1": f"query Q1($id: ID!) {{ customer(id: $id) {{ {FIELDS} }} }}",
    "Q2": f"""query Q2($id: ID!) {{ customer(id: $id) {{ {FIELDS}
        metrics {{ saleCount returnCount net {{ amount currency }} lastSaleAt }}
        loyalty {{ balance }} tags {{ tag }}
        transactions(first: 10) {{ nodes {{ id occurredAt kind store total {{ amount currency }}
        lines(first: 20) {{ nodes {{ sku description quantity amount {{ amount }} }} }}
        }} }} }} }}""",
    "Q3": f"query Q3 {{ customers(first: 50) {{ nodes {{ {FIELDS} }} }} }}",
    "Q4": """query Q4 { customers(first: 20) { nodes { id displayName transactions(first: 5)
        { nodes { id occurredAt kind store total { amount } } } } } }""",
}
Ask = Callable[[str, str | None], bytes]
"""Answers a query by name, for a customer's global id."""


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--dialect", choices=DIALECTS)
    given = parser.parse_args()
    for dialect in [given.dialect] if given.dialect else DIALECTS:
        with empty_crm(dialect, clock=FixedClock(datetime(2026, 11, 1, tzinfo=UTC))) as crm:
            fill(crm, given.customers)
            measure(dialect, crm, given.rounds)


def fill(crm: Crm, customers: int) -> None:
    """Record the demo retailer."""
    retailer = generate(1, customers)
    for batch in _batches(retailer.customers()):
        crm.upsert_customers(batch)
    for sales in _batches(retailer.transactions()):
        crm.record_transactions(sales)
    if crm.database.dialect == "postgresql":
        with crm.database.writer.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
            connection.commit()


def measure(dialect: str, crm: Crm, rounds: int) -> None:
    """Print a table of one database, and how the ways compare."""
    ways, ids = asks(crm)
    for name in QUERIES:
        _require_equal_answers(name, ways, ids)
    found: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds):
        for name in QUERIES:
            order = list(ways) if turn % 2 else list(reversed(ways))
            for way in order:
                count = {"Q1": 60, "Q2": 20, "Q3": 20, "Q4": 15}[name]
                found.setdefault((name, way), []).append(_cost(ways[way], name, ids, count))
    medians = {key: statistics.median(costs) for key, costs in found.items()}
    print(f"{dialect}, {rounds} rounds, CPU us per request of this process:")
    for name in QUERIES:
        print(f"  {name}  " + "  ".join(f"{way} {medians[name, way]:,.0f}" for way in ways))
    for base, by in (("reference", "plan"), ("plan", "limit"), ("plan app", "limit app")):
        ratios = " ".join(
            f"{name} {medians[name, base] / medians[name, by]:.1f}" for name in QUERIES
        )
        print(f"  {base} / {by}: {ratios}")


def asks(crm: Crm) -> tuple[dict[str, Ask], list[str]]:
    """Return the ways to answer, and the global ids of customers who bought something."""
    schema, limits = ComposedSchema(crm), limit_queries(crm.database.dialect)
    actor = Actor("benchmark", ADMIN, crm.roles[ADMIN])
    driver = _driver(crm)

    def request(name: str, id_: str | None) -> GraphQLRequest:
        return GraphQLRequest(QUERIES[name], {"id": id_} if name in ("Q1", "Q2") else None)

    def plan(name: str, id_: str | None) -> bytes:
        return schema.execute(request(name, id_), actor).encoded()

    def reference(name: str, id_: str | None) -> bytes:
        asked = request(name, id_)
        document = schema.documents.read(asked.query)
        assert not isinstance(document, list)
        operation = get_operation_ast(document.node)
        assert operation is not None
        return schema.by_reference(document.node, operation, asked, actor).encoded()

    def limit(name: str, id_: str | None) -> bytes:
        values = (_stored(crm, id_),) if name in ("Q1", "Q2") else ()
        text = driver.execute(limits[name], values).fetchone()[0]
        return orjson.dumps({"data": orjson.Fragment(text)})

    token = crm.write(
        lambda session: create_token(session, crm.roles, "b", ADMIN, now=crm.clock.now())
    )
    loop = asyncio.new_event_loop()
    plan_app = _through(loop, create_app(crm, schema), token)
    limit_app = _through(loop, _bare(limit), token)
    with crm.read() as session:
        bought = session.connection().exec_driver_sql(
            "SELECT customer_id FROM customer_metrics WHERE currency = 'CNY'"
            " AND sale_count > 5 ORDER BY customer_id LIMIT 500"
        )
        ids = [f"cus_{UUID(str(each)).hex}" for (each,) in bought]
    ways = {"reference": reference, "plan": plan, "limit": limit}
    return {**ways, "plan app": plan_app, "limit app": limit_app}, ids


def _driver(crm: Crm) -> Any:
    """Return one bare connection: no pool, no transaction, statements prepared by the driver."""
    url = crm.database.url
    if crm.database.dialect == "sqlite":
        return sqlite3.connect(str(url.database), isolation_level=None)
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, prepare_threshold=0)


def _stored(crm: Crm, id_: str | None) -> Any:
    hex_ = str(id_).removeprefix("cus_")
    return UUID(hex=hex_) if crm.database.dialect == "postgresql" else hex_


def _through(loop: asyncio.AbstractEventLoop, app: Any, token: str) -> Ask:
    """Return the way through an ASGI application, without a socket."""
    headers = [
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"application/json"),
        (b"accept", b"application/json"),
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "path": "/graphql", "raw_path": b"/graphql", "root_path": "", "query_string": b"",
        "scheme": "http", "headers": headers, "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def once(body: bytes) -> bytes:
        sent = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message.get("body", b""))

        await app(dict(scope), receive, send)
        return b"".join(sent)

    def ask(name: str, id_: str | None) -> bytes:
        variables = {"id": id_} if name in ("Q1", "Q2") else {}
        body = orjson.dumps({"query": QUERIES[name], "variables": variables})
        return loop.run_until_complete(once(body))

    return ask


def _bare(limit: Ask) -> Any:
    """Return the least ASGI application that answers the same requests."""
    names = {text: name for name, text in QUERIES.items()}

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        asked = orjson.loads((await receive())["body"])
        body = limit(names[asked["query"]], asked["variables"].get("id"))
        start = {"type": "http.response.start", "status": 200, "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": body})

    return app


def _require_equal_answers(name: str, ways: dict[str, Ask], ids: Sequence[str]) -> None:
    for id_ in ids[:20]:
        answers = {way: json.loads(ask(name, id_)) for way, ask in ways.items()}
        for way, answer in answers.items():
            if answer != answers["reference"]:
                raise SystemExit(
                    f"{name}: {way} answers otherwise\n{answer}\n{answers['reference']}"
                )


def _cost(ask: Ask, name: str, ids: Sequence[str], count: int) -> float:
    some = itertools.cycle(ids)
    ask(name, next(some))
    started = time.process_time()
    for _ in range(count):
        ask(name, next(some))
    return (time.process_time() - started) / count * 1e6


def _batches(stream: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(stream, 500)):
        yield batch


if __name__ == "__main__":
    main()
