"""Root fields that Python answers: called once, with what they give completed by a projection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType

from crmkit_schema.engine.calls import Method
from crmkit_schema.engine.node_rows import NodeRows
from crmkit_schema.engine.projection import FieldProjection
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.shapes import Shape
from crmkit_schema.selections import Selected


class RootCall:
    """One root field that is a method.

    Attributes:
        key: its name in the statement.
    """

    def __init__(
        self, selecting: Selecting, parent: GraphQLObjectType, key: str, selected: Selected
    ) -> None:
        self.key, self.selected = key, selected
        self.method = Method(selecting, parent, key, selected)
        self.projection = FieldProjection(selecting, parent, key, selected)
        self._rows = NodeRows(selecting, selected)

    def fill(self, data: dict[str, Any], run: Run) -> None:
        """Call the method and put what it gives into the answer."""
        context = run.context
        context.planned_rows = lambda info, wanted: self._rows.read(run, info, wanted)
        try:
            value = self.method.call(None, self.method.raw_info(run), run)
        except Exception as error:
            value = run.failure(error)
        finally:
            context.planned_rows = None
        data[self.key] = self.projection.complete([value], run)[0]


@dataclass(frozen=True, slots=True)
class Root:
    """What the plan of a whole operation has beside its statement.

    Attributes:
        shape: of its data.
        calls: the fields that Python answers.
        constants: the data where there is no statement.
    """

    shape: Shape
    calls: Sequence[RootCall]
    constants: Mapping[str, Any]
