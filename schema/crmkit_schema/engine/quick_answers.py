"""Answers that need no thread: a plan is known, its statement is the answer, and it is small.

What an operation needs besides its plan is worked out when a thread has answered it, and
remembered; whatever is unusual about a request is left to a thread again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
)

from crmkit import Actor
from crmkit_schema.context import ROWS_MAX
from crmkit_schema.document_reader import Document
from crmkit_schema.engine.binding import Given
from crmkit_schema.engine.json_sql import ANOMALY
from crmkit_schema.engine.plans import Plan
from crmkit_schema.engine.tags import shape
from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.remembered import Remembered
from crmkit_schema.requests import GraphQLRequest

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema

OPERATIONS_MAX: Final = 512
_ANOMALY: Final = ANOMALY.encode()
_SMALL: Final = ROWS_MAX // 8
"""A cost, in objects, at which a plan can never read too many rows."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What every request of an operation needs to know of it.

    Attributes:
        node: None if there is no such query.
        cost: of every request, in objects; None if it depends on the variables.
    """

    node: OperationDefinitionNode | None
    cost: int | None = None


class QuickAnswers:
    """Answers small requests on the event loop, of operations that a thread answered before."""

    def __init__(self, schema: "ComposedSchema") -> None:
        self._schema = schema
        self._operations: Remembered[tuple[str, str | None], Operation] = Remembered(OPERATIONS_MAX)

    async def answer(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        """Return the answer as JSON, None if a thread must find it."""
        document = self._schema.documents.known(request)
        if document is None:
            return None
        try:
            plan, given = self._planned(document, request, actor)
            if not plan.is_one_statement:
                return None
            values = plan.binder.values(given)
        except (Uncovered, Unready, GraphQLError):
            return None
        text = await self._schema.crm.database.quick.text(plan.sql, values)
        if text is None:
            return None
        data = text if isinstance(text, bytes) else text.encode()
        return None if _ANOMALY in data else b'{"data":%b}' % data

    def _planned(
        self, document: Document, request: GraphQLRequest, actor: Actor
    ) -> tuple[Plan, Given]:
        """Return the plan of a request and what it brings.

        Raises:
            Uncovered, Unready, GraphQLError: there is none.
        """
        schema, given_variables = self._schema, request.variables or {}
        operation = self._operation(document, request.operation_name)
        if operation.node is None:
            raise Uncovered("not a query")
        if operation.cost is None:
            excess = schema.documents.cost_error(document, request.operation_name, given_variables)
            if excess is not None:
                raise excess
        variables = schema.plans.variables(operation.node, given_variables).coerced
        plan = schema.plans.known(document.text, request.operation_name, actor, shape(variables))
        if plan is None:
            raise Unready("not compiled yet")
        given = Given(variables, schema.plans.context(actor))
        if (operation.cost or ROWS_MAX) > _SMALL and plan.most(given) > ROWS_MAX:
            raise Unready("so many rows that they must be counted exactly")
        return plan, given

    def _operation(self, document: Document, name: str | None) -> Operation:
        key = document.text, name
        known = self._operations.get(key)
        if known is None:
            known = _looked_at(document, name)
            self._operations.add(key, known)
        return known


def _looked_at(document: Document, name: str | None) -> Operation:
    node = get_operation_ast(document.node, name)
    if node is None or node.operation is not OperationType.QUERY:
        return Operation(None)
    measure = document.meter.operations[node.name.value if node.name else ""][1]
    return Operation(node, measure.cost.settled)
