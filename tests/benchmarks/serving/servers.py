"""The servers that are compared: each is one entry of a list."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.serving import node_peers
from tests.benchmarks.serving.apis import CRMKIT, LIMIT, LISTS, POSTGRAPHILE, Api
from tests.benchmarks.serving.filling import Shop


@dataclass(frozen=True, slots=True)
class Server:
    """One way to answer the operations on one kind of database.

    Attributes:
        command: what starts it on a shop, to listen at a port.
        missing: says what it lacks on this machine, for the folder it may install it in; empty if
            it can run.
        limit: name of the server that is the least that its work can cost.
        has_token: whether requests need crmkit's bearer token.
    """

    name: str
    dialect: str
    api: Api
    command: Callable[[Shop, int], list[str]]
    missing: Callable[[Path], str]
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


def _lacks(*modules: str) -> Callable[[Path], str]:
    def missing(_folder: Path) -> str:
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
