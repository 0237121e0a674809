"""One WebSocket that was accepted, and the operations that run over it."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from crmkit_schema.answers import refused
from crmkit_schema.bearer import bearer_token
from crmkit_schema.refusals import RequestRefused
from crmkit_schema.requests import read_request
from crmkit_schema.subscriptions.conversation import (
    Closed,
    Complete,
    Conversation,
    Hello,
    Message,
    Ping,
    Subscribe,
)
from crmkit_schema.subscriptions.endings import StreamFailed, TokenEnded, errors_of
from crmkit_schema.subscriptions.racing import first_of
from crmkit_schema.subscriptions.streams import SEND_SECONDS_MAX, Streams

_ACKNOWLEDGE = b'{"type":"connection_ack"}'
_PONG = b'{"type":"pong"}'


class Connection:
    """Speaks with one client until the socket ends."""

    def __init__(self, socket: WebSocket, streams: Streams) -> None:
        self._socket, self._streams = socket, streams
        self._conversation = Conversation()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._token = ""

    async def run(self) -> None:
        """Serve it until it ends.

        Raises:
            Closed: it ends with a code.
            WebSocketDisconnect, TimeoutError: the client is gone.
        """
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._streams.settings.hello_seconds_max):
                await first_of(self._greet(), self._stopped())
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        try:
            await first_of(self._read(), self._watch(), self._stopped(), _result(self._failed))
        finally:
            for each in self._operations.values():
                each.cancel()
            await asyncio.gather(*self._operations.values(), return_exceptions=True)

    async def _greet(self) -> None:
        while not self._conversation.is_acknowledged:
            match await self._receive():
                case Hello(payload):
                    self._token = _token(payload, self._socket)
                    await self._check_token()
                    self._conversation.is_acknowledged = True
                    await self._send(_ACKNOWLEDGE)
                case Ping():
                    await self._send(_PONG)

    async def _read(self) -> None:
        while True:
            match await self._receive():
                case Ping():
                    await self._send(_PONG)
                case Subscribe(id_, payload):
                    await self._subscribe(id_, payload)
                case Complete(id_):
                    self._forget(id_)

    async def _receive(self) -> Message | None:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code") or 1005)
        text = received.get("text")
        if text is not None and len(text.encode()) > self._streams.message_bytes_max:
            raise Closed(1009, "the message is too large")
        return self._conversation.read(text)

    async def _subscribe(self, id_: str, payload: dict[str, Any]) -> None:
        most = self._streams.settings.operations_max
        if len(self._operations) >= most:
            message = f"one socket carries {most} operations at once"
            await self._tell_errors(id_, refused("SUBSCRIPTION_LIMIT", message).errors)
            return
        self._conversation.ids.add(id_)
        task = asyncio.create_task(self._operate(id_, payload))
        self._operations[id_] = task

    def _forget(self, id_: str) -> None:
        self._conversation.ids.discard(id_)
        task = self._operations.pop(id_, None)
        if task is not None:
            task.cancel()

    async def _operate(self, id_: str, payload: dict[str, Any]) -> None:
        """Run one operation; what ends the whole socket is left for `run` to find."""
        try:
            await self._answer(id_, payload)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not self._failed.done():
                self._failed.set_exception(_ended(error))

    async def _answer(self, id_: str, payload: dict[str, Any]) -> None:
        try:
            request = read_request(orjson.dumps(payload))
            async with aclosing(self._streams.answers(request, self._token)) as answers:
                async for answer in answers:
                    await self._tell("next", id_, answer)
        except (StreamFailed, RequestRefused) as failure:
            await self._tell_errors(id_, errors_of(failure))
        else:
            await self._tell("complete", id_)
        self._conversation.ids.discard(id_)
        self._operations.pop(id_, None)

    async def _tell_errors(self, id_: str, errors: list[dict[str, Any]]) -> None:
        await self._tell("error", id_, orjson.dumps(errors))

    async def _tell(self, kind: str, id_: str, payload: bytes = b"") -> None:
        head = b'{"id":%b,"type":"%b"' % (orjson.dumps(id_), kind.encode())
        await self._send(head + (b',"payload":' + payload if payload else b"") + b"}")

    async def _send(self, message: bytes) -> None:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await self._socket.send_text(message.decode())

    async def _check_token(self) -> None:
        try:
            await self._streams.actor(self._token)
        except TokenEnded:
            raise Closed(4403, "Forbidden") from None
        except RequestRefused as refusal:
            raise Closed(1013, refusal.error_code) from None

    async def _watch(self) -> None:
        try:
            await self._streams.watch(self._token)
        except TokenEnded as error:
            raise _ended(error) from None

    async def _stopped(self) -> None:
        await self._streams.stopping.wait()
        raise Closed(1001, "the server stops")


async def _result(future: "asyncio.Future[None]") -> None:
    await future


def _ended(error: Exception) -> Exception:
    return Closed(4403, "the token has ended") if isinstance(error, TokenEnded) else error


def _token(payload: Mapping[str, Any], socket: WebSocket) -> str:
    """Return the token of the hello, else that of the handshake."""
    told = [value for name, value in payload.items() if name.lower() == "authorization"]
    given = told or socket.headers.getlist("authorization")
    try:
        return bearer_token(tuple(str(each).encode("utf-8", "replace") for each in given))
    except RequestRefused:
        raise Closed(4403, "Forbidden") from None
