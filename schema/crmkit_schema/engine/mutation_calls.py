"""One root field of a mutation: called once, with a payload that is completed by projection."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
)

from crmkit import Refused
from crmkit.outages import is_outage
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.calls import Method
from crmkit_schema.engine.node_rows import NodeRows
from crmkit_schema.engine.nulling import Nulling
from crmkit_schema.engine.payloads import needs_snapshot
from crmkit_schema.engine.projection import FieldProjection
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.shapes import Shape
from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.levels import Failure
from crmkit_schema.methods import called
from crmkit_schema.problems import as_problem
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Mutated

log = logging.getLogger("crmkit")


@dataclass(frozen=True, slots=True)
class Gave:
    """What a field gave, before it is completed."""

    value: Any


class MutationCall:
    """A root field that writes."""

    def __init__(
        self, selecting: Selecting, parent: GraphQLObjectType, key: str, selected: Selected
    ) -> None:
        declared = selected.declared
        if not isinstance(declared, CrmField) or not isinstance(declared.source, Mutated):
            raise Uncovered(f"{selected.name} is no mutation")
        self._key, self._selected, self._selecting = key, selected, selecting
        self._declared, self._source = declared, declared.source
        self._method = Method(selecting, parent, key, selected)
        self._projection = FieldProjection(selecting, parent, key, selected)
        self._rows = NodeRows(selecting, selected)
        self._needs_snapshot = needs_snapshot(selecting, selected)

    @property
    def is_joint(self) -> bool:
        """Whether it can be called for several requests at once."""
        return self._source.together is not None

    def called(self, run: Run) -> Gave | Failure:
        """Call the field."""
        context, info = run.context, self._method.raw_info(run)
        context.planned_rows = lambda info, wanted: self._rows.read(run, info, wanted)
        try:
            args, kwargs = self._method.arguments(None, info, run)
            context.require(self._declared.needed)
            return Gave(self._written(args, kwargs))
        except Exception as error:
            return Failure(error)
        finally:
            context.planned_rows = None

    def called_together(self, runs: Sequence[Run]) -> list[Gave]:
        """Call the field once for several requests of one caller.

        Raises:
            Exception: nothing was written.
        """
        if self._source.together is None:
            raise TypeError(f"{self._key} is called for one request at a time")
        context, inputs = runs[0].context, []
        for run in runs:
            _, kwargs = self._method.arguments(None, self._method.raw_info(run), run)
            inputs.append(kwargs["input"])
        context.require(self._declared.needed)
        return [Gave(each) for each in self._source.together(context, inputs)]

    def completed(
        self,
        gave: Gave | Failure,
        run: Run,
        request: GraphQLRequest,
        shape: Shape,
        nulling: Nulling,
    ) -> Any:
        """Return the field's value as it stands in the answer.

        Args:
            shape: of the operation's data.
            nulling: gets the errors.

        Raises:
            GraphQLError: it failed, and must not be null.
        """
        if isinstance(gave, Failure):
            return nulling.field(shape, self._key, gave)
        try:
            value = self._projected([gave.value], run)[0]
        except (Uncovered, Unready) as reason:
            return self._by_reference(gave.value, run, request, nulling, reason)
        except Exception as error:
            is_lost = getattr(error, "connection_invalidated", False)
            if is_outage(error) and not is_lost:
                return nulling.field(shape, self._key, Failure(error))
            log.warning("the plan of a payload failed", exc_info=True)
            return self._by_reference(gave.value, run, request, nulling, error)
        return nulling.field(shape, self._key, value) if run.has_failed else value

    def completed_together(self, gave: Sequence[Gave], run: Run) -> list[Any] | None:
        """Return the values of several requests; None if one failed, so that each is completed.

        Args:
            run: of one of them; payloads that depend on no variable are the same for all.
        """
        try:
            values = self._projected([each.value for each in gave], run)
        except Exception as reason:
            log.debug("payloads are completed one by one: %s", reason)
            return None
        return None if run.has_failed else values

    def _projected(self, values: Sequence[Any], run: Run) -> list[Any]:
        with run.context.snapshot() if self._needs_snapshot else nullcontext():
            return self._projection.complete(values, run)

    def _written(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            return called(self._declared, args, kwargs)
        except Refused as error:
            return as_problem(error, self._source.members)

    def _by_reference(
        self, value: Any, run: Run, request: GraphQLRequest, nulling: Nulling, reason: Exception
    ) -> Any:
        """Complete what the field gave on graphql-core's executor, which does not call it again."""
        log.debug("a payload is completed by the reference executor: %s", reason)
        run.context.written[self._projection.nodes] = value
        result: ExecutionResult = execute_sync(
            self._selecting.schema,
            self._document(),
            context_value=run.context,
            variable_values=request.variables,
            hide_suggestions=run.context.is_production,
        )
        *before, last = result.errors or (None,)
        if result.data is None and last is not None:
            nulling.errors.extend(each for each in before if each is not None)
            raise last
        nulling.errors.extend(result.errors or ())
        return None if result.data is None else result.data[self._key]

    def _document(self) -> DocumentNode:
        """Return the operation with this one root field."""
        whole = self._selecting.operation
        operation = OperationDefinitionNode(
            operation=whole.operation,
            variable_definitions=whole.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(
                selections=tuple(each.node for each in self._selected.details)
            ),
        )
        return DocumentNode(definitions=(operation, *self._selecting.fragments.values()))
