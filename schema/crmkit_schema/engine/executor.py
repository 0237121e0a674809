"""Answering queries by plans, and remembering the plans."""

import logging
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from crmkit import Actor
from crmkit.outages import is_outage
from crmkit_schema.context import RequestContext
from crmkit_schema.documents import REMEMBERED_LENGTH_MAX
from crmkit_schema.engine.keyed_plans import compile_keyed
from crmkit_schema.engine.mutating import Mutations, PreparedMutation
from crmkit_schema.engine.plan_memory import PlanMemory
from crmkit_schema.engine.plans import Plan, compile_plan
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.tags import shape
from crmkit_schema.engine.uncovered import Uncovered, Unready, WrongVariables
from crmkit_schema.engine.variables import coerced_variables, refused_variables
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.values import refuse_unstorable

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema

log = logging.getLogger("crmkit")
PLANS_MAX: Final = 512


class PlanExecutor:
    """Answers what plans cover; everything else is the reference executor's.

    Attributes:
        covered: how many requests were answered so far.
        left: how many were left to the reference executor.
    """

    def __init__(self, schema: "ComposedSchema") -> None:
        self._schema = schema
        self._plans = PlanMemory[Plan | Uncovered](schema.documents, PLANS_MAX)
        self.mutations = Mutations(schema, compile_keyed)
        self.covered = self.left = 0

    def __len__(self) -> int:
        return len(self._plans)

    def __bool__(self) -> bool:
        return True

    def answer(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        actor: Actor,
    ) -> GraphQLAnswer | None:
        """Return the answer to a request, None if it is left to the reference executor."""
        is_mutation = operation.operation is OperationType.MUTATION
        find = self.mutations.prepared if is_mutation else self.attempt
        try:
            made = find(document, operation, request, actor)
        except WrongVariables as wrong:
            return refused_variables(wrong)
        except (Uncovered, Unready, GraphQLError) as reason:
            self._leave(reason)
            return None
        except Exception as error:
            # A connection that was lost while it lay idle; the reference executor's is new.
            is_lost = getattr(error, "connection_invalidated", False)
            if is_outage(error) and not is_lost:
                raise
            # What went wrong, the reference executor tells as GraphQL demands.
            log.warning("a compiled query failed", exc_info=True)
            self._leave(error)
            return None
        self.covered += 1
        # From here on something may be written, so nobody else may begin again.
        return made.answer() if isinstance(made, PreparedMutation) else made

    def _leave(self, reason: Exception) -> None:
        log.debug("left to the reference executor: %s", reason)
        self.left += 1

    def plan(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        variables: VariableValues,
        context: RequestContext,
    ) -> Plan:
        """Return the plan of a request, compiled at most once for all requests of its shape.

        Raises:
            Uncovered: there is none.
            Unready: there is none for this request.
            GraphQLError: the request's arguments are wrong.
        """
        values = shape(variables.coerced)
        known = self.known(request.query, request.operation_name, context.actor, values)
        if known is None:
            made = self._compiled(document, operation, variables, context)
            is_short = len(request.query) <= REMEMBERED_LENGTH_MAX
            if is_short and (isinstance(made, Uncovered) or made.is_reusable):
                permissions = context.actor.permissions
                self._plans.add(made, request.query, request.operation_name, permissions, values)
            if isinstance(made, Uncovered):
                raise made
            known = made
        return known

    def known(
        self, text: str, operation_name: str | None, actor: Actor, values: Hashable
    ) -> Plan | None:
        """Return the plan of an operation if it was compiled before.

        Args:
            text: of the document.
            values: the shape of the variables.

        Raises:
            Uncovered: it is known that there is none.
        """
        known = self._plans.get(text, operation_name, actor.permissions, values)
        if isinstance(known, Uncovered):
            raise known
        return known

    def context(self, actor: Actor) -> RequestContext:
        """Return the context of one request."""
        crm = self._schema.crm
        now = crm.clock.now()
        today = now.astimezone(crm.settings.zone).date()
        return RequestContext(crm, actor, None, now, today, self._schema)

    def variables(
        self, operation: OperationDefinitionNode, given: dict[str, Any] | None
    ) -> VariableValues:
        """Return coerced variables that may be stored.

        Raises:
            WrongVariables: they are wrong.
            GraphQLError: one holds text that no database can store.
        """
        found = coerced_variables(self._schema, operation, given)
        refuse_unstorable(found.coerced)
        return found

    def attempt(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        actor: Actor,
    ) -> GraphQLAnswer:
        """Return the answer to a request.

        Raises:
            Uncovered, Unready, GraphQLError: only the reference executor can answer it.
            Exception: a computed field failed, or the database.
        """
        if operation.operation is not OperationType.QUERY:
            raise Uncovered("a subscription")
        variables = coerced_variables(self._schema, operation, request.variables)
        context = self.context(actor)
        try:
            refuse_unstorable(variables.coerced)
            plan = self.plan(document, operation, request, variables, context)
            return plan.answer(Run(context, variables, compile_keyed))
        except GraphQLError:
            # Plans that serve many requests cannot tell which values are wrong; its own can.
            own = self._compiled(document, operation, variables, context)
        if isinstance(own, Uncovered):
            raise own
        return own.answer(Run(context, variables, compile_keyed))

    def _compiled(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        context: RequestContext,
    ) -> Plan | Uncovered:
        schema = self._schema.schema._schema
        try:
            return compile_plan(schema, document, operation, variables, context)
        except Uncovered as reason:
            return reason
