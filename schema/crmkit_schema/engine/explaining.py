"""Telling developers what becomes of an operation."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from graphql import GraphQLError, OperationDefinitionNode, OperationType, get_operation_ast

from crmkit import Actor
from crmkit.errors import CrmkitError
from crmkit_schema.document_reader import Document
from crmkit_schema.engine.binding import Given
from crmkit_schema.engine.fall_backs import FallBack, fall_backs
from crmkit_schema.engine.plans import Plan
from crmkit_schema.engine.uncovered import Uncovered, Unready

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema


class DocumentRefused(CrmkitError):
    """A GraphQL document cannot be executed; the message says why."""

    code: ClassVar[str] = "DOCUMENT_REFUSED"


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an operation would be answered.

    Attributes:
        kind: query, mutation or subscription.
        cost: most objects it could fetch.
        covered: whether it has a plan: one statement that answers it.
        reason: why it has none.
        fell_back: the fields for which it has none.
        sql: the statement.
        parameters: the statement's values with these variables, in order or by name.
        computed: places in the answer of the fields that Python adds.
        rows_max: most rows the statement can read.
    """

    kind: str
    cost: int
    covered: bool = False
    reason: str = ""
    fell_back: list[FallBack] = field(default_factory=list)
    sql: str = ""
    parameters: Any = ()
    computed: list[str] = field(default_factory=list)
    rows_max: int = 0


def explain(
    schema: "ComposedSchema",
    text: str,
    variables: dict[str, Any] | None,
    actor: Actor,
    operation_name: str | None = None,
) -> Explanation:
    """Return how an operation would be answered, without running it.

    Raises:
        DocumentRefused: the document is not good, or has no such operation.
    """
    document = schema.documents.read(text)
    if isinstance(document, list):
        raise DocumentRefused("; ".join(each.message for each in document))
    node = get_operation_ast(document.node, operation_name)
    if node is None:
        raise DocumentRefused("it has no such operation, or several and none is named")
    name = operation_name or next(iter(document.meter.operations))
    cost = document.meter.operations[name][1].cost.of(variables or {}, {})
    told = Explanation(node.operation.value, cost)
    return _Explaining(schema, document, node, variables, actor).completed(told)


class _Explaining:
    """Compiles an operation, and parts of it, for one caller."""

    def __init__(
        self,
        schema: "ComposedSchema",
        document: Document,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None,
        actor: Actor,
    ) -> None:
        self._schema, self._document, self._operation = schema, document, operation
        self._variables = variables
        self._context = schema.plans.context(actor)

    def completed(self, told: Explanation) -> Explanation:
        """Return an explanation with the plan, or with what stands in its way."""
        try:
            plan, given = self._planned(self._operation)
            parameters, most = plan.binder.values(given), plan.volume.rows(given)
        except (Uncovered, Unready, GraphQLError) as error:
            guilty = list(fall_backs(self._document.node, self._operation, self._reason))
            return replace(told, reason=str(error), fell_back=guilty)
        return replace(
            told,
            covered=True,
            sql=plan.sql,
            parameters=parameters,
            computed=[".".join(each.place) for each in plan.computed],
            rows_max=most,
        )

    def _planned(self, operation: OperationDefinitionNode) -> tuple[Plan, Given]:
        """Compile an operation.

        Raises:
            Uncovered, Unready, GraphQLError: only the reference executor can answer it.
        """
        if operation.operation is not OperationType.QUERY:
            raise Uncovered(f"a {operation.operation.value} has no plan as a whole")
        plans = self._schema.plans
        variables = plans.variables(operation, self._variables)
        plan = plans._compiled(self._document.node, operation, variables, self._context)
        if isinstance(plan, Uncovered):
            raise plan
        return plan, Given(variables.coerced, self._context)

    def _reason(self, operation: OperationDefinitionNode) -> str:
        """Return why an operation has no plan, nothing if it has one."""
        try:
            self._planned(operation)
        except (Uncovered, Unready, GraphQLError) as error:
            return str(error)
        return ""
