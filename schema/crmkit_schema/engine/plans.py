"""Plans: an operation compiled for one caller and one dialect, ready to run."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues

from crmkit_schema.answers import formatted, raise_outage
from crmkit_schema.context import ROWS_MAX, RequestContext
from crmkit_schema.engine.answers import CompiledAnswer
from crmkit_schema.engine.binding import Binder, Given, binder_of
from crmkit_schema.engine.compilation import Compilation, compilation
from crmkit_schema.engine.computed_fields import ComputedField, RefusedField, renamed
from crmkit_schema.engine.json_sql import ANOMALY
from crmkit_schema.engine.nulling import Nulling
from crmkit_schema.engine.root_calls import Root, RootCall
from crmkit_schema.engine.roots import root_of
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.shapes import Shape
from crmkit_schema.engine.tags import tagged
from crmkit_schema.engine.uncovered import Unready
from crmkit_schema.engine.volume import Volume
from crmkit_schema.requests import GraphQLAnswer

_STATEMENT_ROWS_MAX = 5 * ROWS_MAX
"""Most rows that a statement could read, if every page were full, for it to be tried at all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One statement, and what Python adds to what it gives.

    Attributes:
        sql: its text, as the driver takes it; empty if there is nothing to read.
        binder: makes its parameters.
        computed: the fields that Python gives for its rows.
        volume: how many rows it may read.
        refused: the fields that fail.
        names: the long names of the answer, by what stands for them in what the statement gives.
        is_reusable: whether it serves requests with other values.
        root: what the plan of a whole operation has beside.
    """

    sql: str
    binder: Binder
    computed: Sequence[ComputedField]
    volume: Volume
    refused: Sequence[RefusedField]
    names: Mapping[str, str]
    is_reusable: bool
    root: Root | None = None

    @classmethod
    def of(
        cls,
        made: Compilation,
        volume: Volume,
        sql: str = "",
        binder: Binder | None = None,
        root: Root | None = None,
    ) -> "Plan":
        """Return the plan of what was compiled."""
        return cls(
            sql,
            binder or Binder((), (), None),
            tuple(made.computed),
            volume,
            tuple(made.refused),
            made.names,
            made.is_reusable,
            root,
        )

    @property
    def is_one_statement(self) -> bool:
        """Whether the answer is what the statement gives, once that was checked."""
        is_added_to = self.computed or self.refused or self.names
        return bool(self.sql) and not is_added_to and not (self.root and self.root.calls)

    @property
    def calls_python(self) -> bool:
        """Whether functions of plugins may read, which they do from one snapshot with it."""
        return bool(self.computed) or bool(self.root and self.root.calls)

    def most(self, given: Given) -> int:
        """Return the most rows that the statement can read for a request.

        Raises:
            Unready: so many that it must not be tried.
        """
        most = self.volume.rows(given)
        if most > _STATEMENT_ROWS_MAX:
            raise Unready(f"up to {most:,} rows")
        return most

    def text(self, run: Run, given: Given) -> str:
        """Return what the statement gives for a request.

        Raises:
            Unready: no plan can answer this request.
            GraphQLError: an argument is wrong.
        """
        most = self.most(given)
        return self.checked(run.text(self.sql, self.binder.values(given)), most, given)

    def checked(self, text: str, most: int, given: Given) -> str:
        """Return what the statement gave, if it is an answer.

        Args:
            most: the most rows it could read.

        Raises:
            Unready: it holds what GraphQL has no form for, or too many rows.
        """
        if ANOMALY in text:
            raise Unready("a value that GraphQL has no form for")
        if most > ROWS_MAX and 2 * text.count("{") + self.volume.hidden(given) > ROWS_MAX:
            raise Unready("so many rows that they must be counted exactly")
        return text

    def data(self, run: Run, given: Given) -> Any:
        """Return what the statement gives as Python values, with all that Python adds.

        Raises:
            Unready: no plan can answer this request.
            GraphQLError: an argument is wrong.
        """
        found = self.text(run, given) if self.sql else None
        data = (
            dict(self.root.constants) if self.root and found is None else orjson.loads(found or "")
        )
        calls = self.root.calls if self.root else ()
        added: Sequence[ComputedField | RefusedField | RootCall]
        added = (*self.computed, *self.refused, *calls)
        for each in added:
            each.fill(data, run)
        return renamed(data, self.names) if self.names else data

    def answer(self, run: Run) -> GraphQLAnswer:
        """Return the answer to one request of the operation.

        Raises:
            Unready: no plan can answer this request.
            GraphQLError: an argument is wrong.
        """
        if self.is_one_statement:
            return CompiledAnswer(self.text(run, run.given))
        if self.root is None:
            raise TypeError("a part of a plan answers no request")
        with run.context.snapshot() if self.calls_python else nullcontext():
            data = self.data(run, run.given)
        if not run.has_failed:
            return CompiledAnswer(orjson.dumps(data))
        nulling = Nulling()
        completed = nulling.root(self.root.shape, data)
        raise_outage(nulling.errors)
        return GraphQLAnswer(completed, formatted(nulling.errors))


def compile_plan(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: VariableValues,
    context: RequestContext,
) -> Plan:
    """Compile a query for requests of the same shape.

    Raises:
        Uncovered: the operation needs the reference executor.
    """
    known = VariableValues(variables.sources, tagged(variables.coerced))
    selecting = Selecting(schema, document, operation, known)
    dialect = context.crm.database.writer.dialect
    made, volume = compilation(selecting, context), Volume(lambda _given: 1)
    query = schema.query_type
    if query is None:
        raise TypeError("a schema without queries")
    choice, calls = selecting.root(query), list[RootCall]()
    statement = root_of(made, choice, volume, calls)
    constants = {
        key: choice.type.name if selected is None else None
        for key, selected in made.members(choice)
    }
    root = Root(Shape(selecting, choice), calls, constants)
    if statement is None:
        return Plan.of(made, volume, root=root)
    sql, binder = binder_of(statement.compile(dialect=dialect), dialect)
    return Plan.of(made, volume, sql, binder, root)
