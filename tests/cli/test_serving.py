import json
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

Run = Callable[..., Any]


def _greeting(url: str, token: str) -> "httpx2.Response":
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.post(url, json={"query": "{ greeting }"}, headers=headers, timeout=20)


def test_a_served_shop_knows_its_tokens_and_plugins_and_cuts_endless_headers(
    start: Run, crmkit: Run, shop: Path, greeter: Path
) -> None:
    crmkit("db", "upgrade")
    token = crmkit("token", "create", "--name", "me", "--role", "admin").out.strip()

    with start("serve", "--data-dir", shop) as server:
        good = _greeting(server.printed["graphql"], token)
        bad = _greeting(server.printed["graphql"], token + "x")
        endless = _send(server.printed["graphql"], b"GET /livez HTTP/1.1\r\nA: " + b"x" * 20_000)

    assert good.json() == {"data": {"greeting": "hello"}}
    assert bad.status_code == 401
    assert endless.startswith(b"HTTP/1.1 400")


def test_a_subscriber_is_served_and_sent_away_when_the_server_stops(
    start: Run, crmkit: Run, shop: Path
) -> None:
    crmkit("db", "upgrade")
    token = crmkit("token", "create", "--name", "me", "--role", "admin").out.strip()
    query = {"query": "subscription { customerChanged { displayName } }"}
    write = """mutation { upsertCustomers(input: {customers: [
        {source: "web", externalId: "1", displayName: "Ann"}]}) { __typename } }"""
    headers = {"Authorization": f"Bearer {token}"}

    with start("serve", "--data-dir", shop) as server:
        url = server.printed["graphql"]
        address = url.replace("http", "ws")
        with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket_:
            socket_.send(json.dumps({"type": "connection_init", "payload": headers}))
            socket_.recv(timeout=20)
            socket_.send(json.dumps({"type": "subscribe", "id": "1", "payload": query}))
            told = None
            while told is None:  # nothing says when a subscription has begun
                text = write.replace("Ann", f"Ann {time.monotonic()}")
                httpx2.post(url, json={"query": text}, headers=headers, timeout=20)
                with suppress(TimeoutError):
                    told = json.loads(socket_.recv(timeout=0.3))
            ended = server.stop(signal.SIGTERM)
            for _ in socket_:
                pass  # what was on its way

    assert told["payload"]["data"]["customerChanged"]["displayName"].startswith("Ann")
    assert ended == (0, "")
    assert socket_.close_code == 1001


def _send(url: str, request: bytes) -> bytes:
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as client:
        client.sendall(request)
        return client.recv(4096)


def test_a_second_server_is_refused_and_the_first_ends_in_peace(
    start: Run, crmkit: Run, shop: Path
) -> None:
    with start("serve", "--data-dir", shop) as server:
        second = crmkit("serve", "--port", "0")
        ended = server.stop(signal.SIGTERM)

    assert (second.exit_code, second.out) == (1, "")
    assert second.err.count("\n") == 1
    assert "is being written by another crmkit process" in second.err
    assert ended == (0, "")


def test_pending_migrations_refuse_to_be_served(crmkit: Run, greeter: Path) -> None:
    refused = crmkit("serve", "--port", "0")

    assert refused.exit_code == 1
    assert refused.err == (
        "error: the tables of greeter are missing or older than the code; "
        "run: crmkit db upgrade [DATABASE_NOT_READY]\n"
    )


@pytest.mark.parametrize("source", ["1 / 0", "raise SystemExit(0)", "plugin = 1"])
def test_a_broken_plugin_stops_the_server_with_one_line(
    source: str, crmkit: Run, shop: Path
) -> None:
    (shop / "plugins" / "torn.py").write_text(source)

    refused = crmkit("serve", "--port", "0")

    assert refused.exit_code == 1
    assert refused.err.startswith("error: plugin 'torn': ")
    assert refused.err.count("\n") == 1


def test_a_broken_plugin_can_be_left_out_and_ctrl_c_is_no_failure(start: Run, shop: Path) -> None:
    (shop / "plugins" / "torn.py").write_text("1 / 0")

    with start("serve", "--data-dir", shop, "--skip-broken") as server:
        exit_code, err = server.stop(signal.SIGINT)

    assert exit_code == 0
    assert err.startswith("warning: plugin 'torn' is put aside: ")


def test_a_taken_port_is_named(crmkit: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = crmkit("serve", "--port", port)

    assert refused.exit_code == 1
    assert f"port {port}: Address already in use; choose another with --port" in refused.err
