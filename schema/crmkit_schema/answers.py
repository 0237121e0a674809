"""What a client is told when something went wrong, and what only the log is."""

import logging
from collections.abc import Iterable
from secrets import token_hex
from typing import Any

from graphql import GraphQLError

from crmkit import Refused
from crmkit.errors import HookFailed
from crmkit.outages import is_outage
from crmkit_schema.requests import GraphQLAnswer

log = logging.getLogger("crmkit")


def refused(code: str, message: str) -> GraphQLAnswer:
    """Return the answer to what was not executed."""
    return GraphQLAnswer(None, [{"message": message, "extensions": {"code": code}}], False)


def formatted(errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
    """Return errors for the client, each with a code.

    An error that nobody raised on purpose, or that tells of a plugin's inside, becomes INTERNAL
    with a reference; its text goes to the log. One that many objects share is logged once.
    """
    references: dict[int, str] = {}
    return [_formatted(each, references) for each in errors]


def raise_outage(errors: Iterable[GraphQLError]) -> None:
    """Raise the error of a database that cannot be used, instead of calling it a field's."""
    for each in errors:
        cause = _cause(each)
        if isinstance(cause, HookFailed):
            cause = cause.__cause__  # hooks write in the same database transaction
        if cause is not None and is_outage(cause):
            raise cause


def _formatted(error: GraphQLError, references: dict[int, str]) -> dict[str, Any]:
    told: dict[str, Any] = dict(error.formatted)
    cause = _cause(error)
    if cause is None or isinstance(cause, GraphQLError):
        extensions = {**(getattr(cause, "extensions", None) or {}), **(error.extensions or {})}
        told["extensions"] = {"code": "BAD_USER_INPUT", **extensions}
        return told
    if isinstance(cause, Refused):
        told["extensions"] = {"code": cause.code}
        return told
    if id(cause) not in references:
        references[id(cause)] = token_hex(6)
        log.error("reference %s: %s", references[id(cause)], cause, exc_info=cause)
    reference = references[id(cause)]
    told["message"] = f"something went wrong here; the operator finds it as {reference}"
    told["extensions"] = {"code": "INTERNAL", "reference": reference}
    return told


def _cause(error: GraphQLError) -> BaseException | None:
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause
