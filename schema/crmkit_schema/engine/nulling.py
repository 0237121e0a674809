"""Errors in an answer: each takes the nearest value that may be null with it, as GraphQL demands.

Values that failed stand in the answer as `Failure`. Going through the answer in the order in which
GraphQL executes, the first failure inside what must not be null hides those behind it.
"""

from typing import Any

from graphql import GraphQLError, GraphQLList, GraphQLNonNull, GraphQLOutputType, is_leaf_type
from graphql.error import located_error

from crmkit_schema.engine.shapes import Shape, Typed
from crmkit_schema.levels import Failure
from crmkit_schema.selections import Selected

Path = tuple[str | int, ...]


class Nulling:
    """Puts nulls where values failed.

    Attributes:
        errors: what failed so far, in the order of execution.
    """

    def __init__(self) -> None:
        self.errors: list[GraphQLError] = []

    def root(self, shape: Shape, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return the data of an operation without its failures; they are in `errors` then."""
        try:
            return self._object(shape, data, ())
        except GraphQLError as error:
            self.errors.append(error)
            return None

    def field(self, shape: Shape, key: str, value: Any) -> Any:
        """Return the value of one root field without its failures.

        Raises:
            GraphQLError: it failed, and must not be null.
        """
        selected = shape.fields[key]
        return value if selected is None else self._field(shape, key, selected, value, (key,))

    def _object(self, shape: Shape, data: dict[str, Any], path: Path) -> dict[str, Any]:
        for key, value in data.items():
            selected = shape.fields[key]
            if selected is not None:
                data[key] = self._field(shape, key, selected, value, (*path, key))
        return data

    def _field(self, shape: Shape, key: str, selected: Selected, value: Any, path: Path) -> Any:
        type_ = selected.field.type
        try:
            return self._value(type_, shape, key, selected, value, path)
        except GraphQLError as error:
            self._keep(type_, error)
            return None

    def _value(
        self,
        type_: GraphQLOutputType,
        shape: Shape,
        key: str,
        selected: Selected,
        value: Any,
        path: Path,
    ) -> Any:
        if isinstance(value, Failure):
            nodes = [each.node for each in selected.details]
            raise located_error(value.error, nodes, list(path))
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if value is None or is_leaf_type(bare):
            return value
        if not isinstance(bare, GraphQLList):
            below = value.shape if isinstance(value, Typed) else shape.below(key, selected)
            return self._object(below, value, path)
        for index, each in enumerate(value):
            try:
                at = (*path, index)
                value[index] = self._value(bare.of_type, shape, key, selected, each, at)
            except GraphQLError as error:
                self._keep(bare.of_type, error)
                value[index] = None
        return value

    def _keep(self, type_: GraphQLOutputType, error: GraphQLError) -> None:
        """Note the error of a value that may be null; raise it again where it must not."""
        if isinstance(type_, GraphQLNonNull):
            raise error
        self.errors.append(error)
