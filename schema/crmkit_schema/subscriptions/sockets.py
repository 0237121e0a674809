"""GraphQL over WebSockets, in the protocol graphql-transport-ws and no other."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from crmkit_schema.refusals import RequestRefused
from crmkit_schema.subscriptions.connections import Connection
from crmkit_schema.subscriptions.conversation import SUBPROTOCOL, Closed
from crmkit_schema.subscriptions.origins import require_allowed
from crmkit_schema.subscriptions.streams import Streams

logger = logging.getLogger("crmkit")
_CLOSE_SECONDS_MAX: Final = 2.0


class SocketEndpoint:
    """The ASGI application behind the WebSocket `/graphql`."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it ends."""
        socket = WebSocket(scope, receive, send)
        try:
            require_allowed(socket.headers, self._streams.settings.origins)
            with self._streams.connection():
                await self._serve(socket)
        except RequestRefused as refusal:
            await socket.send_denial_response(refusal.response())

    async def _serve(self, socket: WebSocket) -> None:
        if SUBPROTOCOL not in socket.scope["subprotocols"]:
            await socket.accept()
            await _close(socket, Closed(4406, "Subprotocol not acceptable"))
            return
        await socket.accept(SUBPROTOCOL)
        try:
            await Connection(socket, self._streams).run()
        except Closed as closed:
            await _close(socket, closed)
        except (WebSocketDisconnect, TimeoutError):
            pass  # there is nobody to say anything to
        except Exception:
            logger.exception("a socket failed")
            await _close(socket, Closed(1011, "something went wrong on the server"))


async def _close(socket: WebSocket, closed: Closed) -> None:
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS_MAX):
            await socket.close(closed.code, closed.reason)
