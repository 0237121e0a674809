"""Watching how a schema answers: by plan or not, why not, and in how many statements."""

from contextlib import ExitStack
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, OperationType
from sqlalchemy import Engine, event

from crmkit import Actor
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.runtime import ComposedSchema


class LeftToReference(BaseException):
    """A query was about to be run on the reference executor, where it would equal itself."""


class Planned:
    """A schema that is watched while the block lasts.

    Attributes:
        was_left: whether the latest operation ran on the reference executor.
        reason: why no plan answered it.
        statements: how many statements that read it took.
    """

    def __init__(self, schema: ComposedSchema) -> None:
        self._schema, self._done = schema, ExitStack()
        self._attempt, self._by_reference = schema.plans.attempt, schema.by_reference
        self.was_left, self.reason, self.statements = False, "", 0

    def __enter__(self) -> "Planned":
        schema: Any = self._schema
        schema.plans.attempt, schema.by_reference = self._noting, self._leaving
        for engine in _engines(self._schema):
            event.listen(engine, "before_cursor_execute", self._count)
            self._done.callback(event.remove, engine, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_error: object) -> None:
        del self._schema.plans.attempt, self._schema.by_reference
        self._done.close()

    def execute(self, request: GraphQLRequest, actor: Actor) -> GraphQLAnswer | None:
        """Return the schema's answer; None if it would run a query on the reference executor."""
        self.was_left, self.reason, self.statements = False, "", 0
        try:
            return self._schema.execute(request, actor)
        except LeftToReference:
            return None

    def _noting(self, *given: Any) -> Any:
        try:
            return self._attempt(*given)
        except Exception as error:
            self.reason = f"{type(error).__name__}: {error}"[:90]
            raise

    def _leaving(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        actor: Actor,
    ) -> GraphQLAnswer:
        self.was_left = True
        if operation.operation is OperationType.QUERY:
            raise LeftToReference
        return self._by_reference(document, operation, request, actor)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.statements += statement.startswith(("SELECT", "WITH"))


def _engines(schema: ComposedSchema) -> list[Engine]:
    with schema.crm.read() as session:
        found = {session.connection().engine}
    with schema.crm.database.read_once() as connection:
        found.add(connection.engine)
    return list(found)
