"""Running the application under uvicorn until it is told to stop."""

import logging
import signal
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import ASGIApp

from crmkit.errors import SettingsError

if TYPE_CHECKING:
    from crmkit_schema.subscriptions.streams import Streams

HEAD_BYTES_MAX = 16_384
"""Largest request line and headers taken, together."""
CONNECTIONS_MAX = 400
"""How many connections may be open; requests on more of them are answered with 503."""
GRACE_SECONDS = 15
"""How long requests that are under way may go on after the server was told to stop."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that clients can already connect to; they wait until serving begins.

    Args:
        port: 0 takes a free one.

    Raises:
        SettingsError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        raise SettingsError(
            f"cannot listen at {host} port {port}: {reason}; choose another with --port"
        ) from None


def address(listening: socket.socket) -> str:
    """Return the address that a browser on this machine finds the server at."""
    host, port = listening.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


class Server(uvicorn.Server):
    """A server that says goodbye to subscribers, who would stay for ever."""

    def __init__(self, config: uvicorn.Config, streams: "Streams") -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End subscriptions first, then wait for the requests under way."""
        await self._streams.stop()
        await super().shutdown(sockets)


def run(
    app: ASGIApp,
    listening: socket.socket,
    announce: Callable[[], None],
    streams: "Streams",
) -> None:
    """Serve until SIGTERM or Ctrl+C, then leave with exit code 0.

    Requests under way get `GRACE_SECONDS` to end.

    Args:
        streams: who subscribes to the application; they are sent away when it stops.
        announce: called when the server may be told about, and stopped.
    """
    _log_to_stderr()
    config = uvicorn.Config(
        app,
        http=_protocol(),
        ws="auto",
        ws_max_size=streams.message_bytes_max,
        ws_per_message_deflate=False,  # it costs each socket memory, and the event loop time
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        limit_concurrency=_connections_max(streams) + 1,  # it counts the asking one, too
    )
    # Once uvicorn has stopped it raises the signal again; stopping when told to is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    announce()
    Server(config, streams).run(sockets=[listening])


def _connections_max(streams: "Streams") -> int:
    """Return how many connections there may be, so that subscribers leave half for requests."""
    return max(CONNECTIONS_MAX, streams.settings.connections_max + CONNECTIONS_MAX // 2)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _protocol() -> Any:
    """Return the faster protocol where it is installed, with the limits that it lacks."""
    if find_spec("httptools") is None:
        from crmkit_cli.plain_protocol import PlainProtocol

        return PlainProtocol
    from crmkit_cli.limited_protocol import LimitedProtocol

    return LimitedProtocol


def _log_to_stderr() -> None:
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=form)
