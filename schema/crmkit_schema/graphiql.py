"""GraphiQL, an editor for queries, served from our own files so that it works offline."""

from importlib.resources import files

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from crmkit_schema import media_types, refusals

PAGE = "index.html"
ASSETS = {
    "graphiql.min.css": "text/css; charset=utf-8",
    "graphiql.min.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "react-dom.production.min.js": "text/javascript; charset=utf-8",
    "react.production.min.js": "text/javascript; charset=utf-8",
}
# Nothing may come from or go to another host. The editor's libraries write style elements and
# keep their fonts and icons in data addresses; scripts have no such exception.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class WithEditor:
    """The GraphQL endpoint, which shows browsers that open its address the editor instead."""

    def __init__(self, endpoint: ASGIApp) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page to who asks for HTML, and leave everything else to the endpoint."""
        request = Request(scope, receive)
        accept = media_types.accept_header(request.headers)
        wants_page = request.method == "GET" and media_types.names_html(accept)
        answer = await page() if wants_page else self._endpoint
        await answer(scope, receive, send)


def editor_routes(endpoint: ASGIApp) -> list[Route]:
    """Return `/graphql` with the editor in front, and the editor's files."""
    return [Route("/graphql", WithEditor(endpoint)), Route("/graphiql/{name}", asset)]


async def page() -> Response:
    """Return the page with the editor and a box for the token."""
    content = await anyio.to_thread.run_sync(_content, PAGE)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return Response(content, headers=headers, media_type="text/html; charset=utf-8")


async def asset(request: Request) -> Response:
    """Return one of the page's files; only the names listed above exist."""
    name = request.path_params["name"]
    if name not in ASSETS:
        raise refusals.not_found()
    content = await anyio.to_thread.run_sync(_content, name)
    # The files change with crmkit's version only, but under the same names.
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(content, headers=headers, media_type=ASSETS[name])


def _content(name: str) -> bytes:
    return (files("crmkit_schema") / "static" / "graphiql" / name).read_bytes()
