"""The limit: a bare ASGI application that answers by SQL written by hand; no GraphQL, no tokens.

`python -m tests.benchmarks.serving.limit DIALECT DATABASE PORT` serves it.
"""

import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from tests.benchmarks.serving.limit_sale import record_sale
from tests.benchmarks.serving.limit_sql import limit_queries
from tests.benchmarks.serving.raw_postgres import RawPostgres
from tests.benchmarks.serving.under_uvicorn import serve

Answer = Callable[[str, dict[str, Any]], Awaitable[bytes]]
_SALE = """SELECT json_build_object('recordTransactions', json_build_object('__typename',
    'RecordTransactionsSuccess', 'rows', json_build_array(json_build_object('outcome', outcome,
    'transaction', json_build_object('id', 'txn_' || replace(id::text, '-', ''), 'total',
    json_build_object('amount', (total_minor * 0.01)::text, 'currency', currency),
    'customer', json_build_object('loyalty', json_build_object('balance', balance)))))))::text
    FROM made"""
_CONNECTIONS = 16


def application(prepare: Callable[[], Answer]) -> Any:
    """Return the application; what it answers by is made in the event loop."""
    answer: Answer | None = None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal answer
        body = (await receive()).get("body", b"")
        if answer is None:
            answer = prepare()
        text = await answer(scope["path"][1:], orjson.loads(body))
        whole = b'{"data":' + text + b"}"
        length = str(len(whole)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": whole})

    return app


def on_sqlite(path: str) -> Answer:
    """Return what answers on the thread of the event loop."""
    queries = limit_queries("sqlite")
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=64)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")

    async def answer(name: str, given: dict[str, Any]) -> bytes:
        if name == "M1":
            row = record_sale(connection, given)
            made = {"__typename": "RecordTransactionsSuccess", "rows": [row]}
            return orjson.dumps({"recordTransactions": made})
        (text,) = connection.execute(queries[name], tuple(given.values())).fetchone()
        return text.encode()  # type: ignore[no-any-return]

    return answer


def on_postgres(url: str) -> Answer:
    """Return what answers through connections of its own."""
    sale = Path(__file__).with_name("record_sale.sql").read_text()
    queries = {**limit_queries("postgresql"), "M1": sale + _SALE}
    database = RawPostgres(url, queries, _CONNECTIONS)

    async def answer(name: str, given: dict[str, Any]) -> bytes:
        whole = [orjson.dumps(given)] if name == "M1" else [v.encode() for v in given.values()]
        text = await database.value(name, whole)
        assert text is not None
        return text

    return answer


if __name__ == "__main__":
    dialect, database, port = sys.argv[1:]
    prepare = on_sqlite if dialect == "sqlite" else on_postgres
    serve(application(lambda: prepare(database)), int(port))
