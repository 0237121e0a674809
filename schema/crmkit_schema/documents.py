"""Reading GraphQL documents: parsed, measured, validated, and remembered if small and good."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from graphql import (
    DocumentNode,
    FloatValueNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    Node,
    NoSchemaIntrospectionCustomRule,
    ObjectValueNode,
    parse,
    specified_rules,
    validate,
)

from crmkit import Settings
from crmkit_schema.metering import Meter
from crmkit_schema.requests import VARIABLES_DEPTH_MAX
from crmkit_schema.values import bad_input

REMEMBERED_MAX: Final = 256
REMEMBERED_LENGTH_MAX: Final = 16_384
ERRORS_MAX: Final = 5
DIGITS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is valid, and what it amounts to."""

    node: DocumentNode
    meter: Meter


class Documents:
    """The documents of one schema.

    Args:
        schema: what documents are valid against.
        settings: their limits; in production also no introspection, and no names in errors that
            the client did not send.
    """

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self._schema, self._limits = schema, settings.limits
        self._is_production = settings.profile == "production"
        extra = (NoSchemaIntrospectionCustomRule,) if self._is_production else ()
        self._rules = (*specified_rules, *extra)
        self._remembered: OrderedDict[str, Document] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._remembered)

    def read(self, text: str) -> Document | list[GraphQLError]:
        """Return a document that can be executed, or what is wrong with it.

        Good documents of up to `REMEMBERED_LENGTH_MAX` letters are remembered; whoever sends
        bad or huge ones can neither fill the memory nor push other clients' documents out.
        """
        with self._lock:
            known = self._remembered.get(text)
            if known is not None:
                self._remembered.move_to_end(text)
                return known
        made = self._checked(text)
        if isinstance(made, Document) and len(text) <= REMEMBERED_LENGTH_MAX:
            with self._lock:
                self._remembered[text] = made
                if len(self._remembered) > REMEMBERED_MAX:
                    self._remembered.popitem(last=False)
        return made

    def cost_error(
        self, document: Document, operation_name: str | None, variables: Mapping[str, Any]
    ) -> GraphQLError | None:
        """Return why an operation costs too much with these variables, or None if it does not."""
        name = operation_name or next(iter(document.meter.operations))
        try:
            document.meter.check_cost(name, variables, self._limits)
        except GraphQLError as error:
            return error
        return None

    def _checked(self, text: str) -> Document | list[GraphQLError]:
        try:
            node = parse(text, max_tokens=self._limits.tokens_max)
        except GraphQLError as error:
            return [_coded(error, "GRAPHQL_PARSE_FAILED")]
        except RecursionError:
            return [_coded(GraphQLError("the document is nested too deeply"), "DEPTH_LIMIT")]
        try:
            _check_values(node)
            meter = Meter(self._schema, node)
            meter.check(self._limits)
            errors = self._invalid(node)
        except GraphQLError as error:
            return [error]
        except RecursionError:
            return [_coded(GraphQLError("the document is nested too deeply"), "DEPTH_LIMIT")]
        return [_coded(each, "GRAPHQL_VALIDATION_FAILED") for each in errors] or Document(
            node, meter
        )

    def _invalid(self, node: DocumentNode) -> list[GraphQLError]:
        return validate(
            self._schema,
            node,
            self._rules,
            max_errors=ERRORS_MAX,
            hide_suggestions=self._is_production,
        )


def _check_values(document: DocumentNode) -> None:
    """Refuse values nested deeper than variables may be, and numbers too long to be read.

    Raises:
        GraphQLError: code DEPTH_LIMIT or BAD_USER_INPUT.
    """
    rest: list[tuple[Node, int]] = [(document, 0)]
    while rest:
        node, depth = rest.pop()
        depth += isinstance(node, ObjectValueNode | ListValueNode)
        if depth > VARIABLES_DEPTH_MAX:
            raise _coded(GraphQLError("values are nested too deeply", node), "DEPTH_LIMIT")
        if isinstance(node, IntValueNode | FloatValueNode) and len(node.value) > DIGITS_MAX:
            raise bad_input(f"a number of more than {DIGITS_MAX} digits")
        for key in node.keys:
            below = getattr(node, key, None)
            inner = below if isinstance(below, list | tuple) else (below,)
            rest += [(each, depth) for each in inner if isinstance(each, Node)]


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error
