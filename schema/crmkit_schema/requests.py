"""What a GraphQL client asks and gets, and how a request body is read."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from crmkit.access import Actor
from crmkit_schema.document_ids import optional_member, read_document_id
from crmkit_schema.refusals import bad_request

VARIABLES_DEPTH_MAX = 32
_CONTAINERS = (dict, list)


@dataclass(frozen=True)
class GraphQLRequest:
    """One operation to execute.

    Attributes:
        query: the GraphQL document; empty if only its id was sent.
        variables: values by variable name, as they came out of JSON.
        operation_name: which operation of the document to run; needed only if it has several.
        document_id: what the document is known by, without the prefix `sha256:`.
    """

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str | None = None


@dataclass(frozen=True)
class GraphQLAnswer:
    """The result of one operation.

    Attributes:
        data: what was asked for, as Python values; None if nothing ran or if a non-null field
            failed.
        errors: formatted GraphQL errors, each with `extensions.code`.
        was_executed: False if parsing, validation or variable coercion refused the request.
    """

    data: dict[str, Any] | None
    errors: list[dict[str, Any]] = field(default_factory=list)
    was_executed: bool = True

    def body(self) -> dict[str, Any]:
        """Return the response object: `data` only if something ran, `errors` only if any."""
        body: dict[str, Any] = {"data": self.data} if self.was_executed else {}
        if self.errors:
            body["errors"] = self.errors
        return body

    def encoded(self) -> bytes:
        """Return the response object as JSON."""
        return orjson.dumps(self.body())


@dataclass(frozen=True, slots=True)
class Joint:
    """A request that can be served together with others.

    Attributes:
        kind: requests of equal kinds may share a batch.
        item: what `serve` is told of it.
        serve: answers several requests, each as if it had come by itself, in a worker thread.
    """

    kind: Hashable
    item: Any
    serve: Callable[[Sequence[Any]], Sequence[bytes | Exception]]


class Executes(Protocol):
    """A schema that can answer requests and describe itself."""

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        """Run one operation to its end; called in a worker thread."""

    async def answer_quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        """Answer on the event loop if that takes but a moment; None if a thread should execute."""

    def joint(self, request: GraphQLRequest, actor: Actor) -> Joint | None:
        """Return how a request is served together with others; None if it goes by itself."""

    def sdl(self) -> str:
        """Return the schema in the schema definition language."""


def read_request(body: bytes) -> GraphQLRequest:
    """Read a GraphQL request from a JSON body.

    Raises:
        RequestRefused: the body is not UTF-8, not JSON, or not one GraphQL request.
    """
    given = _read_json(body)
    if isinstance(given, list):
        raise bad_request("send one request at a time, not an array of them", "BATCHING_DISABLED")
    if not isinstance(given, dict):
        raise bad_request('the body must be a JSON object such as {"query": "{ __typename }"}')
    document_id = read_document_id(given)
    query = given.get("query")
    if not isinstance(query, str) or not query:
        if document_id is None or query is not None:
            raise bad_request('"query" must be a string that is not empty')
        query = ""
    variables = optional_member(given, "variables", dict, "an object")
    if is_deeper_than(VARIABLES_DEPTH_MAX, variables):
        message = f"variables may be nested {VARIABLES_DEPTH_MAX} levels deep at most"
        raise bad_request(message, "VARIABLES_TOO_DEEP")
    operation_name = optional_member(given, "operationName", str, "a string")
    return GraphQLRequest(query, variables, operation_name, document_id)


def is_deeper_than(levels: int, value: object) -> bool:
    """Tell whether objects and arrays are nested more than `levels` deep in a JSON value."""
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    for _ in range(levels):
        if not level:
            return False
        level = containers_in(level)
    return bool(level)


def containers_in(level: Iterable[Any]) -> list[Any]:
    """Return the objects and arrays that stand directly in some."""
    return [
        inner
        for outer in level
        for inner in (outer.values() if type(outer) is dict else outer)
        if type(inner) in _CONTAINERS
    ]


def _read_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # Its text repeats parts of the body; the position alone would help nobody.
        raise bad_request("the body is not valid JSON in UTF-8") from None
