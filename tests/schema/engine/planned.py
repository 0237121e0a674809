"""Watching how a schema answers: by plan or not, why not, and in how many statements."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from graphql import DocumentNode, OperationDefinitionNode, OperationType
from sqlalchemy import Engine, event

from crmkit import Actor
from crmkit_schema.engine.mutation_calls import MutationCall
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
        self._leave, self._by_reference = schema.plans._leave, schema.by_reference
        self.was_left, self.reason, self.statements = False, "", 0

        self._runner = asyncio.Runner()

    def __enter__(self) -> "Planned":
        schema: Any = self._schema
        schema.plans._leave, schema.by_reference = self._noting, self._leaving
        completing = patch.object(MutationCall, "_by_reference", self._completing())
        self._done.enter_context(completing)
        for engine in _engines(self._schema):
            event.listen(engine, "before_cursor_execute", self._count)
            self._done.callback(event.remove, engine, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_error: object) -> None:
        del self._schema.plans._leave, self._schema.by_reference
        self._done.close()
        self._runner.close()

    def execute(self, request: GraphQLRequest, actor: Actor) -> GraphQLAnswer | None:
        """Return the schema's answer; None if it would run a query on the reference executor."""
        self.was_left, self.reason, self.statements = False, "", 0
        try:
            return self._schema.execute(request, actor)
        except LeftToReference:
            return None

    def quickly(self, request: GraphQLRequest, actor: Actor) -> bytes | None:
        """Return the answer that needs no thread, if there is one."""
        return self._runner.run(self._schema.answer_quickly(request, actor))

    def _noting(self, reason: Exception) -> None:
        self.reason = f"{type(reason).__name__}: {reason}"[:90]
        self._leave(reason)

    def _completing(self) -> Callable[..., Any]:
        """Return what completes a payload of a mutation that has no plan."""
        by_reference = MutationCall._by_reference

        def completing(call: MutationCall, *given: Any) -> Any:
            self.was_left, self.reason = True, f"payload: {given[-1]}"[:90]
            return by_reference(call, *given)

        return completing

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
    _, *readers = schema.crm.database.engines
    return readers
