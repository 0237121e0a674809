"""A real server on a socket, and clients that speak both protocols."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import httpx2
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from crmkit import Crm, CustomerInput
from crmkit.access import create_token, revoke_token
from crmkit.testing import NOON, CrmFactory, sale
from crmkit_cli import serving
from crmkit_schema.app import create_app
from crmkit_schema.runtime import ComposedSchema
from crmkit_schema.subscriptions.streams import Streams

PROTOCOL = Subprotocol("graphql-transport-ws")
SECONDS_MAX = 20.0


class Client:
    """One WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def say(self, kind: str, id_: str | None = None, payload: Any = None) -> None:
        message = {"type": kind, "id": id_, "payload": payload}
        self.socket.send(json.dumps({k: v for k, v in message.items() if v is not None}))

    def hear(self, seconds_max: float = SECONDS_MAX) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds_max))
        return found

    def hears_nothing(self, seconds: float = 0.3) -> bool:
        try:
            self.hear(seconds)
        except TimeoutError:
            return True
        return False

    def subscribe(self, query: str, id_: str = "1", **variables: Any) -> None:
        self.say("subscribe", id_, {"query": query, "variables": variables})

    def next(self) -> Any:
        """Return the data of the next answer, which must have no errors."""
        message = self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    def closing(self) -> tuple[int, str]:
        """Read until the socket is closed; returns code and reason."""
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                self.socket.recv(timeout=SECONDS_MAX)
            except ConnectionClosed as closed:
                return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        raise AssertionError("the socket stays open")


class Events:
    """One stream of events."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self.lines = answer.iter_lines()

    def next(self, count: int = 1) -> list[tuple[str, Any]]:
        """Read some events, without the signs of life between them; fewer if the stream ends."""
        found: list[tuple[str, Any]] = []
        kind = ""
        for line in self.lines:
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data:"):
                data = line.removeprefix("data:").strip()
                found.append((kind, json.loads(data) if data else None))
            if len(found) == count:
                break
        return found


class Shop:
    """A served crmkit."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.streams = Streams(crm, ComposedSchema(crm))
        self.app = create_app(crm, self.streams.schema, streams=self.streams)
        self.listening = serving.listen("127.0.0.1", 0)
        config = uvicorn.Config(
            self.app,
            log_config=None,
            ws_max_size=self.streams.message_bytes_max,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=5,
        )
        self.server = serving.Server(config, self.streams)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.token = self.make_token("office", "admin")
        self._sockets = ExitStack()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        await self.server.serve([self.listening])

    def __enter__(self) -> "Shop":
        self._thread.start()
        wait_for(lambda: self.server.started)
        return self

    def __exit__(self, *_error: object) -> None:
        self._sockets.close()
        self.stop()
        self.listening.close()

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(SECONDS_MAX)
        assert not self._thread.is_alive()

    def tasks(self) -> set[Any]:
        """Return the tasks of the server's event loop."""
        return asyncio.all_tasks(self.loop)

    def make_token(self, name: str, role: str, expires_at: datetime | None = None) -> str:
        return self.crm.write(
            lambda session: create_token(
                session, self.crm.roles, name, role, now=NOON, expires_at=expires_at
            )
        )

    def revoke(self, name: str = "office") -> None:
        self.crm.write(lambda session: revoke_token(session, name, now=NOON))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.listening.getsockname()[1]}"

    def open(self, *protocols: str, **options: Any) -> Client:
        """Open a socket without saying hello."""
        offered = [Subprotocol(each) for each in protocols or [PROTOCOL]]
        made = connect(
            f"ws://{self.address}/graphql", subprotocols=offered, close_timeout=1, **options
        )
        return Client(self._sockets.enter_context(made))

    def client(self, token: str | None = None, **options: Any) -> Client:
        """Open a socket and say hello."""
        client = self.open(**options)
        client.say("connection_init", payload={"Authorization": f"Bearer {token or self.token}"})
        assert client.hear() == {"type": "connection_ack"}
        return client

    def subscriber(self, query: str, token: str | None = None, **variables: Any) -> Client:
        """Open a socket with one subscription that is known to have begun."""
        count = len(self.streams.hub)
        client = self.client(token)
        client.subscribe(query, **variables)
        self.wait_for_subscribers(count + 1)
        return client

    def wait_for_subscribers(self, count: int) -> None:
        wait_for(lambda: len(self.streams.hub) == count)

    @contextmanager
    def events(self, query: str, **options: Any) -> Iterator[Events]:
        """Post an operation and give the stream that answers."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        with httpx2.stream(
            "POST",
            f"http://{self.address}/graphql",
            json={"query": query},
            headers=headers | options.pop("headers", {}),
            timeout=SECONDS_MAX,
            **options,
        ) as answer:
            yield Events(answer)

    def upsert(self, *names: str, display_name: str = "Ann") -> list[str]:
        """Write customers; returns their global ids."""
        rows = [CustomerInput("till", name, display_name=display_name) for name in names]
        return [f"cus_{each.id.hex}" for each in self.crm.upsert_customers(rows) if each.id]

    def sell(self, *numbers: str, customer: str | None = None) -> None:
        self.crm.record_transactions([sale(each, customer=customer) for each in numbers])


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)


@pytest.fixture
def shop_with(crm_factory: CrmFactory) -> Iterator[Callable[..., Shop]]:
    """Give a function that serves a crmkit with some plugins; keywords are subscriptions'."""
    with ExitStack() as served:

        def make(*plugins: Any, **settings: Any) -> Shop:
            general: dict[str, Any] = settings.pop("general", {})
            crm = crm_factory(*plugins, subscriptions=settings, **general)
            return served.enter_context(Shop(crm))

        yield make


@pytest.fixture
def shop(shop_with: Callable[..., Shop]) -> Shop:
    """Give core, served."""
    return shop_with()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Give the function that waits until something is so."""
    return wait_for
