"""One request while a plan answers it."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import FieldNode
from graphql.execution.values import VariableValues

from crmkit_schema.context import RequestContext
from crmkit_schema.engine.binding import Given
from crmkit_schema.engine.shapes import like
from crmkit_schema.engine.tags import tagged
from crmkit_schema.levels import Failure

Nodes = tuple[int, ...]


class Readable(Protocol):
    """A statement, ready to be run for many requests.

    Attributes:
        is_reusable: whether it serves other requests than the one it was compiled for.
    """

    @property
    def is_reusable(self) -> bool:
        """Tell it."""

    def data(self, run: "Run", given: Given) -> Any:
        """Return what it gives for one request, with everything that Python adds."""


Compile = Callable[..., Readable]
"""Compiles the statement that finds rows by keys; plans hold what needs such statements."""


def nodes_of(nodes: Sequence[FieldNode]) -> Nodes:
    """Return what tells a selected field apart from all others of an operation."""
    return tuple(map(id, nodes))


@dataclass(slots=True)
class Run:
    """What one request brings, and what became of it so far.

    Attributes:
        compile: compiles statements that find rows by keys.
        given: what statements bind.
        has_failed: whether a value of the answer failed.
        loaded: objects that stand for rows fetched with all that is selected of them, by identity.
    """

    context: RequestContext
    variables: VariableValues
    compile: Compile
    given: Given = field(init=False)
    has_failed: bool = False
    loaded: dict[int, tuple[Any, Nodes, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.given = Given(self.variables.coerced, self.context)

    def within(self, context: RequestContext) -> "Run":
        """Return the same for a function that has a context of its own."""
        if context is self.context:
            return self
        own = copy(self)
        own.context = context
        own.given = Given(self.variables.coerced, context, self.given.memo)
        return own

    def row_of(self, value: Any, nodes: Nodes) -> Any:
        """Return the row that an object stands for at a field; None if it stands for none."""
        held, at, row = self.loaded.get(id(value), (None, (), None))
        if held is not value or at != nodes:
            return None
        return _copied(row)

    def failure(self, error: Exception) -> Failure:
        """Return what stands in the answer for a value that failed."""
        self.has_failed = True
        return Failure(error)

    def text(self, sql: str, values: Any) -> str:
        """Return the one value of a statement, read from the request's snapshot if it has one."""
        session = self.context.session
        if session is not None:
            found = session.connection().exec_driver_sql(sql, values)
            return str(found.scalar_one())
        return self.context.crm.database.read_text(sql, values)

    def tagged(self) -> VariableValues:
        """Return the variables as plans are compiled with them."""
        return VariableValues(self.variables.sources, tagged(self.variables.coerced))


def _copied(row: Any) -> Any:
    """Return a row of its own for each place, since what fails is replaced in it."""
    if isinstance(row, dict):
        return like(row, {key: _copied(each) for key, each in row.items()})
    return [_copied(each) for each in row] if isinstance(row, list) else row
