"""GraphQL over server-sent events: one POST, one operation, one stream of answers."""

import asyncio
from contextlib import aclosing, suppress

import orjson
from starlette.types import Receive, Scope, Send

from crmkit_schema import media_types, refusals
from crmkit_schema.bearer import bearer_token
from crmkit_schema.body import read_body
from crmkit_schema.heads import read_head
from crmkit_schema.refusals import RequestRefused
from crmkit_schema.requests import GraphQLRequest, read_request
from crmkit_schema.security_headers import RAW_HEADERS
from crmkit_schema.subscriptions.endings import StreamFailed, TokenEnded, errors_of
from crmkit_schema.subscriptions.racing import first_of
from crmkit_schema.subscriptions.streams import SEND_SECONDS_MAX, Streams

_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), *RAW_HEADERS]
_BEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"
_TOKEN_ENDED = {"message": "the token has ended", "extensions": {"code": "UNAUTHENTICATED"}}


class EventStreamEndpoint:
    """The ASGI application that answers `POST /graphql` by streams of events.

    Args:
        streams: gives the answers.
        body_seconds_max: longest time for the body to arrive, in seconds.
    """

    def __init__(self, streams: Streams, body_seconds_max: float) -> None:
        self._streams, self._body_seconds_max = streams, body_seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the operation ends, the token does, or the client is gone.

        Raises:
            RequestRefused: nothing was sent yet.
        """
        head = read_head(scope["headers"])
        token = bearer_token(head.authorization)
        with self._streams.connection():
            try:
                await self._streams.actor(token)
            except TokenEnded:
                raise refusals.unauthenticated() from None
            if not media_types.is_json(head.content_type):
                raise refusals.unsupported_media_type()
            bytes_max = self._streams.message_bytes_max
            body = await read_body(head, receive, bytes_max, self._body_seconds_max)
            await self._stream(read_request(body), token, receive, send)

    async def _stream(
        self, request: GraphQLRequest, token: str, receive: Receive, send: Send
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        events, stopping = _Events(self._streams, send), self._streams.stopping
        with suppress(OSError, TimeoutError):  # the client is gone, or takes nothing any more
            await first_of(
                events.answer(request, token), events.beat(), _gone(receive), stopping.wait()
            )
            async with asyncio.timeout(SEND_SECONDS_MAX):
                await send({"type": "http.response.body", "body": b""})


class _Events:
    """What is sent to one client."""

    def __init__(self, streams: Streams, send: Send) -> None:
        self._streams, self._send = streams, send

    async def answer(self, request: GraphQLRequest, token: str) -> None:
        """Send every answer, and say when there are no more."""
        try:
            await first_of(self._all(request, token), self._streams.watch(token))
        except (StreamFailed, RequestRefused) as failure:
            await self._next(orjson.dumps({"errors": errors_of(failure)}))
        except TokenEnded:
            await self._next(orjson.dumps({"errors": [_TOKEN_ENDED]}))
        await self._put(_COMPLETE)

    async def beat(self) -> None:
        """Send a comment now and then, for proxies that end silent connections."""
        while True:
            await self._put(_BEAT)
            await asyncio.sleep(self._streams.settings.heartbeat_seconds)

    async def _all(self, request: GraphQLRequest, token: str) -> None:
        async with aclosing(self._streams.answers(request, token)) as answers:
            async for each in answers:
                await self._next(each)

    async def _next(self, answer: bytes) -> None:
        await self._put(b"event: next\ndata: " + answer + b"\n\n")

    async def _put(self, event: bytes) -> None:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await self._send({"type": "http.response.body", "body": event, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
