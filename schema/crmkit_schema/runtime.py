"""Executing GraphQL operations on a composed schema."""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from secrets import token_hex
from threading import Lock
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from strawberry.printer import print_schema

from crmkit import Actor, Crm, CrmkitError, PluginError, SchemaContribution
from crmkit.errors import HookFailed
from crmkit_schema.composition import CORE, Composition, CrmSchema
from crmkit_schema.context import RequestContext
from crmkit_schema.core_contribution import core_contribution, roots
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.values import schema_config

log = logging.getLogger("crmkit")
_DOCUMENTS_MAX = 256
_TOKENS_MAX = 1_500
_ERRORS_MAX = 5


class ComposedSchema:
    """The schema of one application: core's and its plugins' types, ready to execute.

    Attributes:
        composition: who contributed what.
        schema: the strawberry schema.
    """

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        contributions: list[tuple[str, SchemaContribution]] = [(CORE, core_contribution())]
        contributions += [
            (loaded.name, answer) for loaded, answer in crm.registry.ask("register_graphql")
        ]
        self.composition = Composition(contributions, frozenset(crm.registry.permissions))
        query, mutation = roots()
        extra = [each for _, contribution in contributions for each in contribution.types]
        try:
            self.schema = CrmSchema(
                self.composition,
                query=query,
                mutation=mutation,
                types=extra,
                config=schema_config(),
            )
        except CrmkitError:
            raise
        except Exception as error:
            raise PluginError("core", f"the GraphQL schema cannot be built: {error}") from error
        self._documents: OrderedDict[str, DocumentNode | list[GraphQLError]] = OrderedDict()
        self._lock = Lock()

    def sdl(self) -> str:
        """Return the schema in GraphQL's definition language; the same plugins give the same text."""
        return print_schema(self.schema) + "\n"

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        """Run one operation and return its answer; never raises for what a client sends.

        Args:
            actor: whose permissions count.
        """
        if actor is None:
            return _refused("UNAUTHENTICATED", "sign in first")
        document = self._document(request.query)
        if isinstance(document, list):
            return GraphQLAnswer(None, _formatted(document), was_executed=False)
        operation = get_operation_ast(document, request.operation_name)
        if operation is None:
            return _refused("OPERATION_NOT_FOUND", _which_operation(request))
        if operation.operation is OperationType.QUERY:
            with self.crm.read() as session:
                result = self._run(document, request, actor, session)
        else:
            result = self._run(document, request, actor, None)
        executed = result.data is not None or not _is_request_error(result)
        return GraphQLAnswer(result.data, _formatted(result.errors or ()), was_executed=executed)

    def _run(
        self, document: DocumentNode, request: GraphQLRequest, actor: Actor, session: Any
    ) -> ExecutionResult:
        now = self.crm.clock.now()
        today = now.astimezone(self.crm.settings.zone).date()
        context = RequestContext(self.crm, actor, session, now, today, self)
        result = execute_sync(
            self.schema._schema,
            document,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
        )
        self.statements_last = context.statements
        return result

    def _document(self, text: str) -> DocumentNode | list[GraphQLError]:
        """Return the parsed and validated document, or what is wrong with it; remembers both."""
        with self._lock:
            known = self._documents.get(text)
            if known is not None:
                self._documents.move_to_end(text)
                return known
        made = self._check(text)
        with self._lock:
            self._documents[text] = made
            if len(self._documents) > _DOCUMENTS_MAX:
                self._documents.popitem(last=False)
        return made

    def _check(self, text: str) -> DocumentNode | list[GraphQLError]:
        try:
            document = parse(text, max_tokens=_TOKENS_MAX)
        except GraphQLError as error:
            return [_coded(error, "GRAPHQL_PARSE_FAILED")]
        except RecursionError:
            return [
                _coded(GraphQLError("the document is nested too deeply"), "GRAPHQL_PARSE_FAILED")
            ]
        quiet = self.crm.settings.profile == "production"
        errors = validate(
            self.schema._schema, document, max_errors=_ERRORS_MAX, hide_suggestions=quiet
        )
        return [_coded(each, "GRAPHQL_VALIDATION_FAILED") for each in errors] or document


def _which_operation(request: GraphQLRequest) -> str:
    if request.operation_name:
        return f"the document has no operation named {request.operation_name[:60]!r}"
    return "the document has several operations, or none; say which by operationName"


def _is_request_error(result: ExecutionResult) -> bool:
    """Tell whether execution never began, because variables could not be read."""
    return all(each.path is None for each in result.errors or ())


def _refused(code: str, message: str) -> GraphQLAnswer:
    return GraphQLAnswer(None, [{"message": message, "extensions": {"code": code}}], False)


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error


def _formatted(errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
    return [_format(each) for each in errors]


def _format(error: GraphQLError) -> dict[str, Any]:
    """Return an error for the client; what is not meant for it stays in the log."""
    formatted: dict[str, Any] = dict(error.formatted)
    original = _root_cause(error)
    if original is None or isinstance(original, GraphQLError):
        extensions = {**(getattr(original, "extensions", None) or {}), **(error.extensions or {})}
        formatted["extensions"] = {"code": "BAD_USER_INPUT", **extensions}
        return formatted
    if isinstance(original, CrmkitError) and not isinstance(original, HookFailed | PluginError):
        formatted["extensions"] = {"code": original.code}
        return formatted
    reference = token_hex(6)
    log.error("reference %s: %s", reference, original, exc_info=original)
    formatted["message"] = f"something went wrong here; the operator finds it as {reference}"
    formatted["extensions"] = {"code": "INTERNAL", "reference": reference}
    return formatted


def _root_cause(error: GraphQLError) -> BaseException | None:
    original: BaseException | None = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    return original
