"""The ASGI application: which path leads where, and what is shown in which profile."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from crmkit import Crm, Settings
from crmkit_schema import refusals
from crmkit_schema.actors import Authenticate
from crmkit_schema.endpoint import GraphQLEndpoint, Limits
from crmkit_schema.graphiql import editor_routes
from crmkit_schema.health import Check, database_check, health_routes
from crmkit_schema.refusals import RequestRefused
from crmkit_schema.requests import Executes
from crmkit_schema.security_headers import SecurityHeaders
from crmkit_schema.subscriptions.event_streams import EventStreamEndpoint
from crmkit_schema.subscriptions.sockets import SocketEndpoint
from crmkit_schema.subscriptions.streams import Streams
from crmkit_schema.workers import Workers


def create_app(
    crm: Crm,
    schema: Executes,
    checks: Mapping[str, Check] = MappingProxyType({}),
    streams: Streams | None = None,
) -> ASGIApp:
    """Return the application that serves one crmkit.

    Args:
        crm: whose tokens are accepted and whose settings count; the caller closes it.
        schema: what answers the operations.
        checks: what `/readyz` depends on besides the database, by name.
        streams: who subscribes; nobody can if it is left out.
    """
    readiness = {"database": database_check(crm.database), **checks}
    return http_app(crm.settings, schema, crm.authenticate, readiness, streams)


def http_app(
    settings: Settings,
    schema: Executes,
    authenticate: Authenticate,
    checks: Mapping[str, Check],
    streams: Streams | None = None,
) -> ASGIApp:
    """Return the application made of these parts.

    Args:
        settings: the profile and the limits.
        schema: what answers the operations.
        authenticate: returns whom a token belongs to, None if it is not good.
        checks: what `/readyz` depends on, by name.
        streams: who subscribes.
    """
    limits = Limits(settings.body_bytes_max, settings.request_seconds_max)
    events = EventStreamEndpoint(streams, limits.body_seconds_max) if streams else None
    endpoint = GraphQLEndpoint(schema, authenticate, Workers(settings.workers), limits, events)
    routes: list[BaseRoute] = [*health_routes(checks)]
    if streams is not None:
        routes.append(WebSocketRoute("/graphql", SocketEndpoint(streams)))
    if settings.profile == "development":
        routes += [*editor_routes(endpoint), sdl_route(schema)]
    else:
        routes.append(Route("/graphql", endpoint))
    app = Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: _http_error, RequestRefused: _refused},
        lifespan=streams.running if streams else None,
    )
    # A redirect makes clients send the body again, and the token to wherever it points.
    app.router.redirect_slashes = False
    return Application(endpoint, app)


class Application:
    """Hands operations straight to their endpoint; routes and middleware are for all the rest.

    Args:
        endpoint: of `POST /graphql`.
        rest: whatever else there is, and the same endpoint for other methods.
    """

    def __init__(self, endpoint: ASGIApp, rest: ASGIApp) -> None:
        self._endpoint, self._rest = endpoint, rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow one lifespan."""
        is_operation = (
            scope["type"] == "http" and scope["path"] == "/graphql" and scope["method"] == "POST"
        )
        await (self._endpoint if is_operation else self._rest)(scope, receive, send)


def sdl_route(schema: Executes) -> Route:
    """Return `/schema.graphql`, for code generators."""

    def sdl(_request: Request) -> Response:
        return Response(schema.sdl(), media_type="text/plain; charset=utf-8")

    return Route("/schema.graphql", sdl)


def _http_error(_request: Request, error: Exception) -> Response:
    """Answer what the router refuses, in the same shape as everything else."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return refusals.method_not_allowed((error.headers or {}).get("Allow", "")).response()
    return refusals.not_found().response()


def _refused(_request: Request, error: Exception) -> Response:
    return error.response() if isinstance(error, RequestRefused) else refusals.internal().response()
