"""A real server to be hurt: what it answers, what CPU that takes, how it fares meanwhile."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from crmkit import Crm, CustomerInput, Settings
from crmkit.access import create_token
from crmkit.migrating import upgrade
from crmkit.testing import NOON, sale

_START_SECONDS_MAX = 60
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A server process with a token that may do everything."""

    process: "subprocess.Popen[str]"
    url: str
    token: str
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.client = httpx2.Client(headers=headers, timeout=60)

    def post(self, request: Mapping[str, Any]) -> httpx2.Response:
        """Send one request and return its answer."""
        body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
        return self.client.post(self.url, content=body)

    def cpu_seconds(self) -> float:
        """Return what the process has taken so far, in seconds of CPU."""
        text = Path(f"/proc/{self.process.pid}/schedstat")
        if text.exists():
            tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
            return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS

    @contextmanager
    def probed(self) -> Iterator[list[float]]:
        """Ask for `/livez` all the time; collects how long each answer took, in seconds."""
        took: list[float] = []
        is_over = threading.Event()

        def probe() -> None:
            with httpx2.Client(timeout=60) as client:
                while not is_over.wait(0.02):
                    began = time.monotonic()
                    assert client.get(self.url.replace("/graphql", "/livez")).status_code == 200
                    took.append(time.monotonic() - began)

        thread = threading.Thread(target=probe)
        thread.start()
        try:
            yield took
        finally:
            is_over.set()
            thread.join()


def make_shop(folder: Path, database_url: str = "", **settings: Any) -> str:
    """Fill an empty database with some customers and sales; returns a token that may do all."""
    chosen = Settings.load(folder, database_url=database_url, **settings)
    with Crm(chosen) as crm:
        upgrade(crm.database, crm.registry)
        numbers = range(40)
        crm.upsert_customers(
            [CustomerInput("till", str(n), display_name=f"Customer {n}") for n in numbers]
        )
        crm.record_transactions(
            [sale(f"{n}-{k}", ("tea", 1, "2"), customer=str(n)) for n in numbers for k in range(3)]
        )
        return crm.write(lambda session: create_token(session, crm.roles, "t", "admin", now=NOON))


@contextmanager
def serving(folder: Path, token: str, profile: str, **environment: str) -> Iterator[Server]:
    """Serve a data directory at a free port, in a process of its own, for a block."""
    process = subprocess.Popen(
        [
            sys.executable, "-c", "from crmkit_cli import main; main()",
            "serve", "--data-dir", folder, "--json", "--port", "0",
        ],
        env={**os.environ, "CRMKIT_PROFILE": profile, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        server = Server(process, json.loads(process.stdout.readline())["graphql"], token)
        try:
            with server.client:
                yield server
        finally:
            process.terminate()
            process.wait(_START_SECONDS_MAX)
