"""Plans: an operation compiled for one caller and one dialect, ready to run."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues
from sqlalchemy import Connection

from crmkit_schema.context import ROWS_MAX, RequestContext
from crmkit_schema.engine.binding import Binder, Given, binder_of
from crmkit_schema.engine.compilation import Compilation
from crmkit_schema.engine.computed_fields import ComputedField
from crmkit_schema.engine.json_sql import ANOMALY, JsonSql
from crmkit_schema.engine.postgres import PostgresJson
from crmkit_schema.engine.roots import root_of
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.sqlite import SqliteJson
from crmkit_schema.engine.tags import tagged
from crmkit_schema.engine.uncovered import Unready
from crmkit_schema.engine.volume import Volume

_STATEMENT_ROWS_MAX = 5 * ROWS_MAX
"""Most rows that a statement could read, if every page were full, for it to be tried at all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One statement that answers an operation.

    Attributes:
        sql: its text, as the driver takes it.
        binder: makes its parameters.
        computed: what Python adds to its answer, level by level.
        volume: how many rows it may read.
    """

    sql: str
    binder: Binder
    computed: Sequence[ComputedField]
    volume: Volume

    @property
    def is_one_statement(self) -> bool:
        """Whether the answer is the text of the statement, once that was checked."""
        return not self.computed

    def run(self, connection: Connection, given: Given, variables: VariableValues) -> str | bytes:
        """Return the data of one request as JSON.

        Raises:
            Unready: only the reference executor can answer this request.
            Exception: a computed field raised, or a value could not be bound.
        """
        most = self.most(given)
        values = self.binder.values(given)
        text: str = connection.exec_driver_sql(self.sql, values).scalar_one()
        made = self.checked(text, most, given)
        return made if self.is_one_statement else self._completed(made, given, variables)

    def most(self, given: Given) -> int:
        """Return the most rows that the statement can read for a request.

        Raises:
            Unready: so many that it must not be tried.
        """
        most = self.volume.rows(given)
        if most > _STATEMENT_ROWS_MAX:
            raise Unready(f"up to {most:,} rows")
        return most

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

    def _completed(self, text: str, given: Given, variables: VariableValues) -> bytes:
        data = orjson.loads(text)
        for each in self.computed:
            each.fill(data, given, variables)
        return orjson.dumps(data)


def compile_plan(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: VariableValues,
    context: RequestContext,
) -> Plan:
    """Compile an operation for requests of the same shape.

    Raises:
        Uncovered: the operation needs the reference executor.
        Unready: this request needs it.
        GraphQLError: the arguments of this request are wrong.
    """
    known = VariableValues(variables.sources, tagged(variables.coerced))
    selecting = Selecting(schema, document, operation, known)
    dialect = context.crm.database.writer.dialect
    home = context.crm.settings.currency
    json: JsonSql = PostgresJson(home) if dialect.name == "postgresql" else SqliteJson(home)
    made = Compilation(context.schema.composition, selecting, context, json)
    volume = Volume(lambda _given: 1)
    query = schema.query_type
    if query is None:
        raise TypeError("a schema without queries")
    statement = root_of(made, selecting.root(query), volume)
    sql, binder = binder_of(statement.compile(dialect=dialect), dialect)
    return Plan(sql, binder, tuple(made.computed), volume)
