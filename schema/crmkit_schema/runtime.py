"""Executing GraphQL operations on a composed schema."""

from contextlib import nullcontext
from dataclasses import replace

from graphql import (
    DocumentNode,
    ExecutionResult,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
)
from strawberry.printer import print_schema

from crmkit import Actor, Crm, PluginError
from crmkit.migrating import require_ready
from crmkit.plugin_assembly import without
from crmkit_schema.answers import formatted, raise_outage, refused
from crmkit_schema.composed_schema import build, contributions_of
from crmkit_schema.composition import CORE
from crmkit_schema.context import RequestContext
from crmkit_schema.documents import Documents
from crmkit_schema.engine.exact_variables import ExactVariables
from crmkit_schema.engine.executor import PlanExecutor
from crmkit_schema.engine.input_values import InputValues
from crmkit_schema.engine.joint_mutations import joint_mutation
from crmkit_schema.engine.quick_answers import QuickAnswers
from crmkit_schema.plugin_threads import PluginThreads
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest, Joint
from crmkit_schema.trusted_documents import trusted_documents


class ComposedSchema:
    """The schema of one application: core's and its plugins' types, ready to execute.

    Attributes:
        composition: who contributed what.
        schema: the strawberry schema.
        variables: coerces variables that are plainly right.
        inputs: makes arguments of what clients send.
        plans: what answers most queries in one statement each.
        built_in: names of core and of the plugins whose code is crmkit's own.
        plugin_threads: where functions of all others run.

    Raises:
        PluginError: a plugin's part cannot be composed; it names the plugin.
    """

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        permissions = frozenset(crm.registry.permissions)
        self.composition, self.schema = build(contributions_of(crm), permissions)
        self._is_production = crm.settings.profile == "production"
        self.documents = Documents(self.schema._schema, crm.settings)
        is_lenient = bool(crm.registry.broken)
        self.documents.trust(trusted_documents(crm.settings), is_lenient=is_lenient)
        self.variables = ExactVariables(self.schema._schema)
        self.inputs = InputValues(self.schema)
        self.plans = PlanExecutor(self)
        self.built_in = crm.registry.built_in
        self.plugin_threads = PluginThreads()
        self.quick = QuickAnswers(self)

    def sdl(self) -> str:
        """Return the schema in GraphQL's definition language; stable for the same plugins."""
        return print_schema(self.schema) + "\n"

    def execute(self, request: GraphQLRequest, actor: Actor | None) -> GraphQLAnswer:
        """Run one operation and return its answer; never raises for what a client sends.

        Args:
            actor: whose permissions count.

        Raises:
            DatabaseBusy, DatabaseNotReady, sqlalchemy.exc.OperationalError,
            sqlalchemy.exc.TimeoutError: the database cannot be used; whether a write took place is
                not known.
        """
        if actor is None:
            return refused("UNAUTHENTICATED", "sign in first")
        document = self.documents.read_request(request)
        if isinstance(document, list):
            return GraphQLAnswer(None, formatted(document), was_executed=False)
        operation = get_operation_ast(document.node, request.operation_name)
        if operation is None:
            return refused("OPERATION_NOT_FOUND", _which_operation(request))
        excess = self.documents.cost_error(
            document, request.operation_name, request.variables or {}
        )
        if excess is not None:
            return GraphQLAnswer(None, formatted([excess]), was_executed=False)
        request = replace(request, query=document.text)
        planned = self.plans.answer(document.node, operation, request, actor)
        return planned or self.by_reference(document.node, operation, request, actor)

    async def answer_quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        """Answer on the event loop if that takes but a moment; None if a thread should execute."""
        return await self.quick.answer(request, actor)

    def joint(self, request: GraphQLRequest, actor: Actor) -> Joint | None:
        """Return how a request is served together with others; None if it goes by itself."""
        return joint_mutation(self, request, actor)

    def by_reference(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        actor: Actor,
    ) -> GraphQLAnswer:
        """Run one operation on graphql-core's executor, which needs no plan and knows everything.

        Args:
            document: good, as `documents` reads them; `operation` is the one of it to run.
        """
        is_query = operation.operation is OperationType.QUERY
        context = self.plans.context(actor)
        with context.snapshot() if is_query else nullcontext():
            result = self._run(document, request, context)
        raise_outage(result.errors or ())
        was_executed = result.data is not None or _began(result)
        return GraphQLAnswer(result.data, formatted(result.errors or ()), was_executed)

    def _run(
        self, document: DocumentNode, request: GraphQLRequest, context: RequestContext
    ) -> ExecutionResult:
        return execute_sync(
            self.schema._schema,
            document,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
            hide_suggestions=self._is_production,
        )


def compose(crm: Crm, *, skip_broken: bool = False, must_be_ready: bool = False) -> ComposedSchema:
    """Return the schema of an application.

    Args:
        skip_broken: put plugins aside, in `crm.registry` too, that fail only now, by what they
            bring to the schema or by their migrations.
        must_be_ready: refuse tables that are older than the code.

    Raises:
        DatabaseNotReady: the tables must be ready and are not.
        PluginError: a plugin cannot be used; it names the plugin.
    """
    while True:
        try:
            if must_be_ready:
                require_ready(crm.database, crm.registry)
            return ComposedSchema(crm)
        except PluginError as error:
            if not skip_broken or error.plugin == CORE:
                raise
            crm.registry = without(crm.registry, error.plugin, error.reason)


def _which_operation(request: GraphQLRequest) -> str:
    if request.operation_name:
        return f"the document has no operation named {request.operation_name[:60]!r}"
    return "the document has several operations, or none; say which by operationName"


def _began(result: ExecutionResult) -> bool:
    """Tell whether execution began: until then errors have no path."""
    return any(each.path is not None for each in result.errors or ())
