"""Answers that need no thread: a plan is known, its statement is the answer, and it is small.

What an operation needs besides its plan is worked out when a thread has answered it, and
remembered; whatever is unusual about a request is left to a thread again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graphql import (
    GraphQLError,
    NonNullTypeNode,
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
_INT_MAX: Final = 2**31 - 1
_EXACT: Final[Mapping[str, type]] = {"ID": str, "String": str, "Int": int, "Boolean": bool}


@dataclass(frozen=True, slots=True)
class Operation:
    """What every request of an operation needs to know of it.

    Attributes:
        node: None if there is no such query.
        cost: of every request, in objects; None if it depends on the variables.
        exact: the Python types of its variables, if GraphQL takes them as JSON gives them.
    """

    node: OperationDefinitionNode | None
    cost: int | None = None
    exact: Mapping[str, type] | None = None


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
            if not plan.is_one_statement or plan.most(given) > ROWS_MAX:
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
        schema, variables = self._schema, request.variables or {}
        operation = self._operation(document, request.operation_name)
        if operation.node is None:
            raise Uncovered("not a query")
        if operation.cost is None:
            excess = schema.documents.cost_error(document, request.operation_name, variables)
            if excess is not None:
                raise excess
        if not _is_exact(variables, operation.exact):
            variables = schema.plans.variables(operation.node, variables).coerced
        plan = schema.plans.known(document.text, request.operation_name, actor, shape(variables))
        if plan is None:
            raise Unready("not compiled yet")
        return plan, Given(variables, schema.plans.context(actor))

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
    cost = document.meter.operations[node.name.value if node.name else ""][1].cost
    own = None if cost.depends_on_variables else cost.of({}, {})
    return Operation(node, own, _exact_types(node))


def _exact_types(node: OperationDefinitionNode) -> Mapping[str, type] | None:
    """Return the types of variables that are all required and of simple types, else None."""
    types = {}
    for each in node.variable_definitions or ():
        inner = each.type.type if isinstance(each.type, NonNullTypeNode) else None
        name = getattr(getattr(inner, "name", None), "value", "")
        if name not in _EXACT or each.default_value is not None:
            return None
        types[each.variable.name.value] = _EXACT[name]
    return types


def _is_exact(given: Mapping[str, Any], types: Mapping[str, type] | None) -> bool:
    """Tell whether GraphQL would take the values of variables as they are."""
    if types is None or len(given) != len(types):
        return False
    for name, type_ in types.items():
        value: Any = given.get(name)
        kind: type = type(value)
        if kind is not type_ or (kind is str and "\0" in value):
            return False
        if kind is int and not -_INT_MAX <= value <= _INT_MAX:
            return False
    return True
