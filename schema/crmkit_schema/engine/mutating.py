"""Mutations: each root field is called once, in its own write, and its payload is a plan.

Once the first field was called, nothing is left to the reference executor but the payload of a
field whose plan cannot be used: it is completed there from what the field gave already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode
from graphql.execution.values import VariableValues

from crmkit import Actor
from crmkit_schema.answers import formatted, raise_outage
from crmkit_schema.documents import REMEMBERED_LENGTH_MAX
from crmkit_schema.engine.mutation_calls import Gave, MutationCall
from crmkit_schema.engine.nulling import Nulling
from crmkit_schema.engine.plan_memory import PlanMemory
from crmkit_schema.engine.running import Compile, Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.shapes import Shape
from crmkit_schema.engine.tags import shape, tagged
from crmkit_schema.engine.used_variables import used_below_roots
from crmkit_schema.engine.variables import coerced_variables
from crmkit_schema.levels import Failure
from crmkit_schema.remembered import Remembered
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema

PLANS_MAX: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class MutationPlan:
    """What the root fields of a mutation are.

    Attributes:
        calls: by their names in the answer; None stands for `__typename`.
    """

    shape: Shape
    calls: Mapping[str, MutationCall | None]

    @property
    def is_joint(self) -> bool:
        """Whether several requests can be answered together."""
        calls = list(self.calls.values())
        return len(calls) == 1 and calls[0] is not None and calls[0].is_joint

    def answer(self, run: Run, request: GraphQLRequest) -> GraphQLAnswer:
        """Call every field, one after the other, until one fails that must not be null.

        Raises:
            Exception: the database cannot be used.
        """
        return self._answer(run, request, lambda call: call.called(run))

    def answer_together(self, requests: "Sequence[PreparedMutation]") -> list[GraphQLAnswer]:
        """Call the one field there is, once for all requests.

        Raises:
            Exception: nothing was written; or the database cannot be used.
        """
        [(key, call)] = self.calls.items()
        if call is None:
            raise TypeError(f"{key} calls nothing")
        gave = call.called_together([each.run for each in requests])
        values = call.completed_together(gave, requests[0].run)
        if values is not None:
            return [GraphQLAnswer({key: value}) for value in values]
        return [
            self._answer(each.run, each.request, partial(_known, given))
            for each, given in zip(requests, gave, strict=True)
        ]

    def _answer(
        self, run: Run, request: GraphQLRequest, called: Callable[[MutationCall], Gave | Failure]
    ) -> GraphQLAnswer:
        nulling = Nulling()
        data: dict[str, Any] | None
        try:
            data = {
                key: self.shape.type.name
                if call is None
                else call.completed(called(call), run, request, self.shape, nulling)
                for key, call in self.calls.items()
            }
        except GraphQLError as error:
            nulling.errors.append(error)
            data = None
        raise_outage(nulling.errors)
        return GraphQLAnswer(data, formatted(nulling.errors))


def _known(gave: Gave, _call: MutationCall) -> Gave:
    return gave


@dataclass(frozen=True, slots=True)
class PreparedMutation:
    """A mutation of one request, of which nothing was called yet."""

    plan: MutationPlan
    run: Run
    request: GraphQLRequest

    def answer(self) -> GraphQLAnswer:
        """Call everything, once.

        Raises:
            Exception: the database cannot be used.
        """
        return self.plan.answer(self.run, self.request)


class Mutations:
    """Answers mutations, and remembers their plans."""

    def __init__(self, schema: "ComposedSchema", compile_keyed: Compile) -> None:
        self._schema, self._compile = schema, compile_keyed
        self._plans = PlanMemory[MutationPlan](schema.documents, PLANS_MAX)
        self._used: Remembered[Any, frozenset[str]] = Remembered(PLANS_MAX)

    def __len__(self) -> int:
        return len(self._plans)

    def prepared(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        actor: Actor,
        *,
        is_remembered: bool = True,
    ) -> PreparedMutation:
        """Return a mutation that is ready; nothing is called yet.

        Args:
            is_remembered: whether a plan that was made for it is kept.

        Raises:
            Uncovered, Unready: only the reference executor can answer it.
        """
        schema = self._schema.schema._schema
        variables = coerced_variables(self._schema, operation, request.variables)
        run = Run(self._schema.plans.context(actor), variables, self._compile)
        name = request.query, request.operation_name
        used = self._used.get(name)
        if used is None:
            used = used_below_roots(document, operation)
        values = {each: value for each, value in variables.coerced.items() if each in used}
        key = *name, actor.permissions, shape(values)
        plan = self._plans.get(*key)
        if plan is None:
            known = VariableValues(variables.sources, {**variables.coerced, **tagged(values)})
            plan = self._compiled(Selecting(schema, document, operation, known))
            if is_remembered and len(request.query) <= REMEMBERED_LENGTH_MAX:
                self._used.add(name, used)
                self._plans.add(plan, *key)
        return PreparedMutation(plan, run, request)

    def joint(
        self,
        operation: OperationDefinitionNode,
        text: str,
        request: GraphQLRequest,
        actor: Actor,
    ) -> PreparedMutation | None:
        """Return a mutation that can be answered together with others, None if it cannot.

        Args:
            text: of the document.

        Raises:
            WrongVariables: they are wrong.
        """
        name = text, request.operation_name
        if self._used.get(name):
            return None  # payloads differ by variables
        plan = self._plans.get(*name, actor.permissions, shape({}))
        if plan is None or not plan.is_joint:
            return None
        variables = coerced_variables(self._schema, operation, request.variables)
        run = Run(self._schema.plans.context(actor), variables, self._compile)
        if request.query != text:
            request = replace(request, query=text)  # it was named by its id
        return PreparedMutation(plan, run, request)

    def _compiled(self, selecting: Selecting) -> MutationPlan:
        mutation = selecting.schema.mutation_type
        if mutation is None:
            raise TypeError("a schema without mutations")
        choice = selecting.root(mutation)
        calls = {
            each.key: None
            if each.selected is None
            else MutationCall(selecting, mutation, each.key, each.selected)
            for each in choice.members
        }
        return MutationPlan(Shape(selecting, choice), calls)
