"""Telling developers what becomes of an operation."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from graphql import GraphQLError, OperationDefinitionNode, OperationType, get_operation_ast
from graphql.execution.values import VariableValues, get_variable_values

from crmkit import Actor
from crmkit.errors import CrmkitError
from crmkit_schema.document_reader import Document
from crmkit_schema.engine.fall_backs import FallBack, fall_backs
from crmkit_schema.engine.keyed_plans import compile_keyed
from crmkit_schema.engine.payload_statements import PayloadStatement, payload_statements
from crmkit_schema.engine.plans import Plan
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.selections import Selected

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
        covered: whether it has a plan.
        reason: why it has none.
        fell_back: the fields for which it has none.
        sql: the statement; empty if Python answers all there is.
        parameters: the statement's values with these variables, in order or by name.
        rows_max: most rows the statement can read.
        computed: places in the answer of fields that Python adds to rows.
        refused: places of fields that fail, with the reason.
        called: fields at the top that Python answers.
        payloads: statements for the rows that those lead to.
    """

    kind: str
    cost: int
    covered: bool = False
    reason: str = ""
    fell_back: list[FallBack] = field(default_factory=list)
    sql: str = ""
    parameters: Any = ()
    rows_max: int = 0
    computed: list[str] = field(default_factory=list)
    refused: list[FallBack] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    payloads: list[PayloadStatement] = field(default_factory=list)


def explain(
    schema: "ComposedSchema",
    text: str,
    variables: dict[str, Any] | None,
    actor: Actor,
    operation_name: str | None = None,
) -> Explanation:
    """Return how an operation would be answered, without running it.

    Raises:
        DocumentRefused: the document or a variable is not good, or there is no such operation.
    """
    document = schema.documents.read(text)
    if isinstance(document, list):
        raise DocumentRefused("; ".join(each.message for each in document))
    node = get_operation_ast(document.node, operation_name)
    if node is None:
        raise DocumentRefused("it has no such operation, or several and none is named")
    name = operation_name or next(iter(document.meter.operations))
    cost = document.meter.operations[name][1].cost.of(variables or {}, {})
    request = GraphQLRequest(text, variables, operation_name)
    told = Explanation(node.operation.value, cost)
    return _Explaining(schema, document, node, request, actor).completed(told)


class _Explaining:
    """Compiles an operation, and parts of it, for one caller."""

    def __init__(
        self,
        schema: "ComposedSchema",
        document: Document,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        actor: Actor,
    ) -> None:
        self._schema, self._document, self._operation = schema, document, operation
        self._request, self._actor = request, actor
        self._run = Run(schema.plans.context(actor), self._variables(), compile_keyed)

    def completed(self, told: Explanation) -> Explanation:
        """Return an explanation with the plan, or with what stands in its way."""
        try:
            if self._operation.operation is OperationType.MUTATION:
                return self._mutation(told)
            return self._query(told)
        except (Uncovered, Unready, GraphQLError) as error:
            document, operation = self._document.node, self._operation
            guilty = list(fall_backs(document, operation, self._reason))
            return replace(told, reason=str(error), fell_back=guilty)

    def _query(self, told: Explanation) -> Explanation:
        plan, given = self._planned(self._operation), self._run.given
        calls = plan.root.calls if plan.root else ()
        return replace(
            told,
            covered=True,
            sql=plan.sql,
            parameters=plan.binder.values(given),
            rows_max=plan.volume.rows(given),
            computed=[".".join(each.place) for each in plan.computed],
            refused=[FallBack(".".join(each.place), str(each.error)) for each in plan.refused],
            called=[each.key for each in calls],
            payloads=self._payloads((each.key, each.selected) for each in calls),
        )

    def _mutation(self, told: Explanation) -> Explanation:
        self._schema.plans.mutations.prepared(
            self._document.node, self._operation, self._request, self._actor, is_remembered=False
        )
        mutation = self._schema.schema._schema.mutation_type
        if mutation is None:
            raise TypeError("a schema without mutations")
        members = self._selecting().root(mutation).members
        calls = [(each.key, each.selected) for each in members if each.selected is not None]
        called, payloads = [key for key, _ in calls], self._payloads(calls)
        return replace(told, covered=True, called=called, payloads=payloads)

    def _payloads(self, calls: Iterable[tuple[str, Selected]]) -> list[PayloadStatement]:
        selecting = self._selecting()
        return [
            each
            for key, selected in calls
            for each in payload_statements(selecting, selected, key, self._run)
        ]

    def _selecting(self) -> Selecting:
        schema = self._schema.schema._schema
        return Selecting(schema, self._document.node, self._operation, self._run.tagged())

    def _variables(self) -> VariableValues:
        found = get_variable_values(
            self._schema.schema._schema,
            self._operation.variable_definitions or (),
            self._request.variables or {},
        )
        if isinstance(found, VariableValues):
            return found
        raise DocumentRefused("; ".join(each.message for each in found))

    def _planned(self, operation: OperationDefinitionNode) -> Plan:
        """Compile a query.

        Raises:
            Uncovered, Unready, GraphQLError: only the reference executor can answer it.
        """
        if operation.operation is not OperationType.QUERY:
            raise Uncovered(f"a {operation.operation.value} has no plan as a whole")
        document, run = self._document.node, self._run
        made = self._schema.plans._compiled(document, operation, run.variables, run.context)
        if isinstance(made, Uncovered):
            raise made
        return made

    def _reason(self, operation: OperationDefinitionNode) -> str:
        """Return why a query has no plan, nothing if it has one."""
        try:
            self._planned(operation)
        except (Uncovered, Unready, GraphQLError) as error:
            return str(error)
        return ""
