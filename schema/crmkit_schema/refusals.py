"""Answers that are no GraphQL results: the request was refused before anything ran, or broke."""

import secrets
from collections.abc import Mapping
from typing import ClassVar

import orjson
from starlette.responses import Response

from crmkit.errors import CrmkitError
from crmkit_schema import media_types


class RequestRefused(CrmkitError):
    """A request that gets an HTTP status instead of a GraphQL result.

    Attributes:
        status: the HTTP status.
        error_code: what `extensions.code` says; stable, for programs.
        message: one sentence for people, without anything the caller may not know.
        headers: HTTP headers that belong to this refusal.
        reference: under which the log has what happened; empty if nothing broke.
    """

    code: ClassVar[str] = "REQUEST_REFUSED"

    def __init__(
        self,
        status: int,
        error_code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        reference: str = "",
    ) -> None:
        self.status = status
        self.error_code = error_code
        self.message = message
        self.headers = dict(headers or {})
        self.reference = reference
        super().__init__(message)

    def response(self, media_type: str = media_types.JSON) -> Response:
        """Return the refusal in the shape of a GraphQL response that has errors only."""
        extensions = {"code": self.error_code}
        if self.reference:
            extensions["reference"] = self.reference
        body = orjson.dumps({"errors": [{"message": self.message, "extensions": extensions}]})
        return Response(body, self.status, self.headers, media_types.utf8(media_type))


def bad_request(message: str, error_code: str = "BAD_REQUEST") -> RequestRefused:
    """Return the refusal of a body that is not a GraphQL request."""
    return RequestRefused(400, error_code, message)


def unauthenticated() -> RequestRefused:
    """Return the one refusal for every missing, wrong, expired or revoked token."""
    headers = {"WWW-Authenticate": 'Bearer realm="crmkit"'}
    return RequestRefused(401, "UNAUTHENTICATED", "send a valid bearer token", headers)


def too_large(bytes_max: int) -> RequestRefused:
    """Return the refusal of a body above `bytes_max` bytes."""
    message = f"the body may have {bytes_max} bytes at most"
    # What is left of the body is never read, so the connection cannot be used again.
    return RequestRefused(413, "BODY_TOO_LARGE", message, {"Connection": "close"})


def too_slow(seconds: float) -> RequestRefused:
    """Return the refusal of a body that did not arrive within `seconds`."""
    message = f"the body did not arrive within {seconds:g} seconds"
    return RequestRefused(408, "REQUEST_TIMEOUT", message, {"Connection": "close"})


def busy() -> RequestRefused:
    """Return the refusal of a request that found no free worker in time."""
    message = "the server is busy; nothing was done, send the request again"
    return RequestRefused(503, "BUSY", message, {"Retry-After": "1"})


def timed_out(seconds: float) -> RequestRefused:
    """Return the answer for a request that was still running after `seconds`."""
    message = (
        f"no result after {seconds:g} seconds; it is not known whether a mutation took effect, "
        "send it again with the same idempotency key"
    )
    return RequestRefused(504, "TIMEOUT", message)


def unavailable(error_code: str) -> RequestRefused:
    """Return the answer while the database cannot be used."""
    message = (
        "the database cannot be used at the moment; "
        "send the request again later, a mutation with the same idempotency key"
    )
    return RequestRefused(503, error_code, message, {"Retry-After": "5"})


def internal() -> RequestRefused:
    """Return the answer for a defect of ours; log what happened under its `reference`."""
    reference = secrets.token_hex(8)
    message = f"something went wrong on the server; quote reference {reference}"
    return RequestRefused(500, "INTERNAL", message, reference=reference)


def not_found() -> RequestRefused:
    """Return the answer for a path that leads nowhere."""
    return RequestRefused(404, "NOT_FOUND", "there is nothing at this path")


def method_not_allowed(allowed: str) -> RequestRefused:
    """Return the refusal of a method; `allowed` lists those that are taken."""
    message = f"this path takes {allowed} only"
    return RequestRefused(405, "METHOD_NOT_ALLOWED", message, {"Allow": allowed})


def not_acceptable() -> RequestRefused:
    """Return the refusal of an Accept header that names neither media type we give."""
    message = f"accept {media_types.GRAPHQL_RESPONSE} or {media_types.JSON}"
    return RequestRefused(406, "NOT_ACCEPTABLE", message)


def unsupported_media_type() -> RequestRefused:
    """Return the refusal of a body that is not said to be plain JSON in UTF-8."""
    message = f"send the body as {media_types.JSON}, in UTF-8 and not compressed"
    return RequestRefused(415, "UNSUPPORTED_MEDIA_TYPE", message, {"Accept-Post": media_types.JSON})
