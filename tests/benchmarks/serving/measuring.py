"""Loading one server after the other and reading what it cost."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks.serving.cpu import cpu_ns, elapsed_ns, pin
from tests.benchmarks.serving.postgres import PostgresServer
from tests.benchmarks.serving.starting import OTHER_CORE, ROOT, Running

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Sample:
    """What one stretch of load on one server gave; times in microseconds per request."""

    server_cpu: float
    database_cpu: float
    per_second: float
    p50: float
    p99: float
    bytes: int

    def as_json(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


class Client:
    """The process that sends requests."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._number = time.time_ns() // 1000

    def load(self, to: Running, requests: Sequence[bytes], seconds: float) -> dict[str, Any]:
        """Load a server; errors in answers end the run."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        coded = [base64.b64encode(each).decode() for each in requests]
        given = {"port": to.port, "requests": coded, "seconds": seconds,
                 "connections": CONNECTIONS, "number": self._number}  # fmt: skip
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline() or "{}")
        if not found or found["failure"]:
            why = found.get("failure", "the client has ended")
            raise SystemExit(f"{to.server.name} fails under load: {why}")
        self._number = found["number"]
        return found


@contextmanager
def client() -> Iterator[Client]:
    """Start the process that sends requests, on the core that servers do not run on."""
    command = [sys.executable, "-m", "tests.benchmarks.serving.client"]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        pin(process.pid, OTHER_CORE)
        yield Client(process)
        assert process.stdin is not None
        process.stdin.close()


def sample(
    by: Client, to: Running, requests: Sequence[bytes], seconds: float, postgres: PostgresServer
) -> Sample:
    """Load a server for some seconds."""
    database_pid = postgres.pid if to.shop.dialect == "postgresql" else None
    before = cpu_ns(to.process.pid), cpu_ns(database_pid)
    started = time.perf_counter()
    found = by.load(to, requests, seconds)
    took = time.perf_counter() - started
    after = cpu_ns(to.process.pid), cpu_ns(database_pid)
    count = found["count"]
    server, database = (
        elapsed_ns(*both) / 1000 / count for both in zip(before, after, strict=True)
    )
    times = found["p50"], found["p99"]
    return Sample(server, database, count / took, *times, found["bytes"])
