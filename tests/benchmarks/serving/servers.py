"""The servers that are compared: each is one entry of a list."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.serving import node_peers
from tests.benchmarks.serving.apis import CRMKIT, LIMIT, LISTS, POSTGRAPHILE, Api
from tests.benchmarks.serving.filling import Shop

ROOT = Path(__file__).parents[3]
_START_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Server:
    """One way to answer the operations on one kind of database.

    Attributes:
        command: what starts it on a shop, to listen at a port.
        missing: says what it lacks on this machine; empty if it can run.
        limit: name of the server that is the least that its work can cost.
        has_token: whether requests need crmkit's bearer token.
    """

    name: str
    dialect: str
    api: Api
    command: Callable[[Shop, int], list[str]]
    missing: Callable[[], str]
    limit: str
    has_token: bool = False


def address(shop: Shop) -> str:
    """Return where a shop's database is, as its driver wants it."""
    if shop.dialect == "sqlite":
        return shop.database
    text = (shop.data_dir / "crmkit.toml").read_text()
    return text.partition('database_url = "')[2].partition('"')[0]


def _crmkit(shop: Shop, port: int) -> list[str]:
    code = "from crmkit_cli import main; main()"
    return [sys.executable, "-c", code, "serve", "--data-dir", str(shop.data_dir),
            "--port", str(port)]  # fmt: skip


def _module(name: str) -> Callable[[Shop, int], list[str]]:
    def command(shop: Shop, port: int) -> list[str]:
        module = f"tests.benchmarks.serving.{name}"
        return [sys.executable, "-m", module, shop.dialect, address(shop), str(port)]

    return command


def _node(name: str) -> Callable[[Shop, int], list[str]]:
    def command(shop: Shop, port: int) -> list[str]:
        return node_peers.command(name, shop.data_dir.parents[1], address(shop), port)

    return command


def _lacks(*modules: str) -> Callable[[], str]:
    def missing() -> str:
        return ", ".join(name for name in modules if find_spec(name) is None)

    return missing


SERVERS = (
    Server("limit_pg", "postgresql", LIMIT, _module("limit"), _lacks(), "limit_pg"),
    Server("crmkit_pg", "postgresql", CRMKIT, _crmkit, _lacks(), "limit_pg", has_token=True),
    Server("limit_sqlite", "sqlite", LIMIT, _module("limit"), _lacks(), "limit_sqlite"),
    Server("crmkit_sqlite", "sqlite", CRMKIT, _crmkit, _lacks(), "limit_sqlite", has_token=True),
    Server("strawberry_pg", "postgresql", LISTS, _module("strawberry_peer"),
           _lacks("asyncpg", "greenlet"), "limit_pg"),
    Server("strawberry_sqlite", "sqlite", LISTS, _module("strawberry_peer"),
           _lacks("aiosqlite", "greenlet"), "limit_sqlite"),
    Server("mercurius_pg", "postgresql", LISTS, _node("mercurius"), node_peers.missing, "limit_pg"),
    Server("postgraphile_pg", "postgresql", POSTGRAPHILE, _node("postgraphile"),
           node_peers.missing, "limit_pg"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        token: for the header Authorization; empty if none is needed.
    """

    server: Server
    shop: Shop
    port: int
    pid: int
    token: str


@contextmanager
def running(server: Server, shop: Shop, log: Path) -> Iterator[Running]:
    """Start a server and stop it at the end; what it says goes to a file."""
    token = _token(shop) if server.has_token else ""
    port = _free_port()
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with log.open("w") as file:
        process = subprocess.Popen(
            server.command(shop, port), cwd=ROOT, env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        )  # fmt: skip
        try:
            _wait(server, process, port, log)
            yield Running(server, shop, port, process.pid, token)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@lru_cache
def _token(shop: Shop) -> str:
    code = "from crmkit_cli import main; main()"
    command = [sys.executable, "-c", code, "token", "create", "--name", "benchmark", "--role",
               "admin", "--data-dir", str(shop.data_dir)]  # fmt: skip
    made = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return made.stdout.strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _wait(server: Server, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{server.name} does not start:\n{log.read_text()[-3000:]}")
