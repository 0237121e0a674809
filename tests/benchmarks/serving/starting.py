"""Starting servers side by side."""

import os
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.serving.cpu import pin
from tests.benchmarks.serving.filling import Shop
from tests.benchmarks.serving.postgres import PostgresServer
from tests.benchmarks.serving.servers import Server

ROOT = Path(__file__).parents[3]
SERVER_CORE, OTHER_CORE = 1, 0
"""Servers share a core, since one is loaded at a time; PostgreSQL and the client have the other."""
_START_SECONDS_MAX = 90


@dataclass(frozen=True, slots=True)
class Running:
    """A server that was started.

    Attributes:
        token: for the header Authorization; empty if none is needed.
        log: file of what it says.
    """

    server: Server
    shop: Shop
    port: int
    process: "subprocess.Popen[bytes]"
    token: str
    log: Path


@contextmanager
def started(
    servers: Iterable[tuple[Server, Shop]], folder: Path, postgres: PostgresServer
) -> Iterator[list[Running]]:
    """Start servers, each on its shop, and stop them at the end.

    Args:
        folder: where what they say is kept.
    """
    with ExitStack() as stack:
        up = [stack.enter_context(_running(*each, folder)) for each in servers]
        for each in up:
            _wait(each)
            pin(each.process.pid, SERVER_CORE)
        pin(postgres.pid, OTHER_CORE)
        yield up


@contextmanager
def _running(server: Server, shop: Shop, folder: Path) -> Iterator[Running]:
    token = (shop.data_dir / "token").read_text() if server.has_token else ""
    port, log = _free_port(), folder / f"{server.name}-{shop.data_dir.parent.name}.log"
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with log.open("w") as file:
        process = subprocess.Popen(
            server.command(shop, port), cwd=ROOT, env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        yield Running(server, shop, port, process, token, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _wait(each: Running) -> None:
    until = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < until and each.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", each.port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{each.server.name} does not start:\n{each.log.read_text()[-3000:]}")
