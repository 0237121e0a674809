"""GraphQL over HTTP: one POST, one operation, one answer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crmkit.access import Actor
from crmkit.errors import DatabaseBusy, DatabaseNotReady
from crmkit_schema import media_types, refusals
from crmkit_schema.bearer import bearer_token
from crmkit_schema.body import read_body
from crmkit_schema.refusals import RequestRefused
from crmkit_schema.requests import Executes, GraphQLRequest, read_request
from crmkit_schema.workers import ResultT, Workers, WorkersBusy, WorkOverran

logger = logging.getLogger("crmkit")

Authenticate = Callable[[str], Actor | None]


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
    """

    def __init__(
        self, schema: Executes, authenticate: Authenticate, workers: Workers, limits: Limits
    ) -> None:
        self._schema = schema
        self._authenticate = authenticate
        self._workers = workers
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        request = Request(scope, receive)
        media_type = media_types.answer_type(media_types.accept_header(request.headers))
        try:
            response = await self._answer(request, media_type)
        except RequestRefused as refusal:
            response = refusal.response(media_type or media_types.JSON)
        except Exception:
            failure = refusals.internal()
            logger.exception("request failed, reference %s", failure.reference)
            response = failure.response(media_type or media_types.JSON)
        await response(scope, receive, send)

    async def _answer(self, request: Request, media_type: str | None) -> Response:
        """Check the request, cheapest first and a stranger's body never, then execute it."""
        deadline = anyio.current_time() + self._limits.request_seconds_max
        if request.method != "POST":
            raise refusals.method_not_allowed("POST")
        if media_type is None:
            raise refusals.not_acceptable()
        actor = await self._actor(request, deadline)
        if not media_types.is_json(request.headers.getlist("content-type")):
            raise refusals.unsupported_media_type()
        limits = self._limits
        body = await read_body(request, limits.body_bytes_max, limits.body_seconds_max)
        work = self._executing(read_request(body), actor, media_type)
        status, answer = await self._run(work, deadline)
        return Response(answer, status, media_type=media_types.utf8(media_type))

    async def _actor(self, request: Request, deadline: float) -> Actor:
        token = bearer_token(request.headers.getlist("authorization"))
        actor = await self._run(lambda: self._authenticate(token), deadline)
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
        try:
            return await self._workers.run(work, deadline)
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
