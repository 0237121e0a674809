"""Reading one GraphQL document: parsed, measured and validated."""

from dataclasses import dataclass
from typing import Final

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

ERRORS_MAX: Final = 5
DIGITS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is valid, and what it amounts to."""

    text: str
    node: DocumentNode
    meter: Meter


class DocumentReader:
    """Reads documents of one schema.

    Args:
        schema: what they are valid against.
        settings: their limits; in production also no introspection, and no names in errors that
            the client did not send.
    """

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self._schema, self._limits = schema, settings.limits
        self._is_production = settings.profile == "production"
        extra = (NoSchemaIntrospectionCustomRule,) if self._is_production else ()
        self._rules = (*specified_rules, *extra)

    def read(self, text: str) -> Document | list[GraphQLError]:
        """Return a document that can be executed, or what is wrong with it."""
        try:
            node = parse(text, max_tokens=self._limits.tokens_max)
        except GraphQLError as error:
            return [coded(error, "GRAPHQL_PARSE_FAILED")]
        except RecursionError:
            return [coded(GraphQLError("the document is nested too deeply"), "DEPTH_LIMIT")]
        try:
            _check_values(node)
            meter = Meter(self._schema, node)
            meter.check(self._limits)
            errors = self._invalid(node)
        except GraphQLError as error:
            return [error]
        except RecursionError:
            return [coded(GraphQLError("the document is nested too deeply"), "DEPTH_LIMIT")]
        if errors:
            return [coded(each, "GRAPHQL_VALIDATION_FAILED") for each in errors]
        return Document(text, node, meter)

    def _invalid(self, node: DocumentNode) -> list[GraphQLError]:
        return validate(
            self._schema,
            node,
            self._rules,
            max_errors=ERRORS_MAX,
            hide_suggestions=self._is_production,
        )


def coded(error: GraphQLError, code: str) -> GraphQLError:
    """Return an error that says its code, if it did not before."""
    error.extensions = {"code": code, **(error.extensions or {})}
    return error


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
            raise coded(GraphQLError("values are nested too deeply", node), "DEPTH_LIMIT")
        if isinstance(node, IntValueNode | FloatValueNode) and len(node.value) > DIGITS_MAX:
            raise bad_input(f"a number of more than {DIGITS_MAX} digits")
        for key in node.keys:
            below = getattr(node, key, None)
            inner = below if isinstance(below, list | tuple) else (below,)
            rest += [(each, depth) for each in inner if isinstance(each, Node)]
