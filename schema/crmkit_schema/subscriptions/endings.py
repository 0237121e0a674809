"""Why a stream of answers ends before its operation does."""

from typing import Any

from crmkit_schema.refusals import RequestRefused


class TokenEnded(Exception):
    """The bearer's token was not good, expired, or was revoked."""


class StreamFailed(Exception):
    """A stream ends with errors.

    Attributes:
        errors: formatted GraphQL errors, each with its code.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        self.errors = errors
        super().__init__(errors)


def errors_of(failure: StreamFailed | RequestRefused) -> list[dict[str, Any]]:
    """Return why a stream ends, as GraphQL errors."""
    if isinstance(failure, StreamFailed):
        return failure.errors
    extensions = {"code": failure.error_code}
    if failure.reference:
        extensions["reference"] = failure.reference
    return [{"message": failure.message, "extensions": extensions}]
