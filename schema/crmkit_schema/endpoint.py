"""GraphQL over HTTP: one POST, one operation, one answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.types import ASGIApp, Receive, Scope, Send

from crmkit.access import Actor
from crmkit.errors import DatabaseBusy, DatabaseNotReady
from crmkit_schema import media_types, refusals
from crmkit_schema.actors import Actors, Authenticate
from crmkit_schema.bearer import bearer_token
from crmkit_schema.body import read_body
from crmkit_schema.heads import Head, read_head
from crmkit_schema.joining import Joining
from crmkit_schema.refusals import RequestRefused
from crmkit_schema.requests import Executes, GraphQLRequest, read_request
from crmkit_schema.security_headers import RAW_HEADERS, SecurityHeaders
from crmkit_schema.workers import ResultT, Workers, WorkersBusy, WorkOverran

logger = logging.getLogger("crmkit")

QUICK_BYTES_MAX: Final = 8_192
"""Largest body that is looked at on the event loop beyond reading it."""


@dataclass(frozen=True)
class Limits:
    """What one request may take.

    Attributes:
        body_bytes_max: largest body.
        request_seconds_max: longest time from the head of a request to its answer.
        body_seconds_max: longest time for the body to arrive.
    """

    body_bytes_max: int
    request_seconds_max: float
    body_seconds_max: float = 10.0


class GraphQLEndpoint:
    """The ASGI application that executes operations, behind `POST /graphql`.

    Args:
        schema: what executes them.
        authenticate: returns whom a token belongs to, None if the token is not good.
        workers: the threads in which both of them run.
        limits: what one request may take.
        events: answers requests that accept nothing but server-sent events.
    """

    def __init__(
        self,
        schema: Executes,
        authenticate: Authenticate,
        workers: Workers,
        limits: Limits,
        events: ASGIApp | None = None,
    ) -> None:
        self._schema = schema
        self._actors = Actors(authenticate)
        self._workers, self._joining = workers, Joining(workers)
        self._limits = limits
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        head = read_head(scope["headers"])
        media_type = media_types.answer_type(head.accept)
        try:
            if media_type is None and self._events and media_types.names_events(head.accept):
                await self._events(scope, receive, send)
                return
            status, answer = await self._answer(scope["method"], head, media_type, receive)
        except RequestRefused as refusal:
            response = refusal.response(media_type or media_types.JSON)
            await SecurityHeaders(response)(scope, receive, send)
        except Exception:
            failure = refusals.internal()
            logger.exception("request failed, reference %s", failure.reference)
            response = failure.response(media_type or media_types.JSON)
            await SecurityHeaders(response)(scope, receive, send)
        else:
            await _send(send, status, answer, media_type or media_types.JSON)

    async def _answer(
        self, method: str, head: Head, media_type: str | None, receive: Receive
    ) -> tuple[int, bytes]:
        """Check the request, cheapest first and a stranger's body never, then execute it."""
        deadline = asyncio.get_running_loop().time() + self._limits.request_seconds_max
        if method != "POST":
            raise refusals.method_not_allowed("POST")
        if media_type is None:
            raise refusals.not_acceptable()
        actor = await self._actor(head, deadline)
        if not media_types.is_json(head.content_type):
            raise refusals.unsupported_media_type()
        limits = self._limits
        body = await read_body(head, receive, limits.body_bytes_max, limits.body_seconds_max)
        request = read_request(body)
        if len(body) < QUICK_BYTES_MAX:
            quick = await self._quick(request, actor, deadline)
            if quick is not None:
                return 200, quick
            shared = await self._jointly(request, actor, deadline)
            if shared is not None:
                return 200, shared
        return await self._run(self._executing(request, actor, media_type), deadline)

    async def _quick(self, request: GraphQLRequest, actor: Actor, deadline: float) -> bytes | None:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._schema.answer_quickly(request, actor)
        except TimeoutError:
            raise refusals.timed_out(self._limits.request_seconds_max) from None

    async def _jointly(
        self, request: GraphQLRequest, actor: Actor, deadline: float
    ) -> bytes | None:
        joint = self._schema.joint(request, actor)
        if joint is None:
            return None
        return await self._told(self._joining.serve(joint, deadline))

    async def _actor(self, head: Head, deadline: float) -> Actor:
        token = bearer_token(head.authorization)
        actor = self._actors.known(token)
        if actor is None:
            actor = await self._run(lambda: self._actors.look_up(token), deadline)
        if actor is None:
            raise refusals.unauthenticated()
        return actor

    def _executing(
        self, request: GraphQLRequest, actor: Actor, media_type: str
    ) -> Callable[[], tuple[int, bytes]]:
        """Return the work of a thread: execute, and encode what may be a large answer."""

        def execute() -> tuple[int, bytes]:
            answer = self._schema.execute(request, actor)
            # Clients of the older media type take any status but 200 for a broken server.
            status = 200 if answer.was_executed or media_type == media_types.JSON else 400
            return status, answer.encoded()

        return execute

    async def _run(self, work: Callable[[], ResultT], deadline: float) -> ResultT:
        return await self._told(self._workers.run(work, deadline))

    async def _told(self, running: Awaitable[ResultT]) -> ResultT:
        try:
            return await running
        except WorkersBusy:
            raise refusals.busy() from None
        except WorkOverran:
            raise refusals.timed_out(self._limits.request_seconds_max) from None
        except (DatabaseBusy, DatabaseNotReady) as error:
            # Its own sentence names files of the server, so it stays in the log.
            logger.warning("request refused: %s", error)
            raise refusals.unavailable(error.code) from None
        except (OperationalError, PoolTimeout):
            logger.exception("the database cannot be used")
            raise refusals.unavailable("UNAVAILABLE") from None


async def _send(send: Send, status: int, answer: bytes, media_type: str) -> None:
    headers = [
        (b"content-type", media_types.utf8(media_type).encode()),
        (b"content-length", b"%d" % len(answer)),
        *RAW_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
