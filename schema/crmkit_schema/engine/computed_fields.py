"""Computed fields: called once per level with what the statement put in their places."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import GraphQLError, GraphQLLeafType, GraphQLList, GraphQLNonNull, GraphQLOutputType
from graphql.execution.values import VariableValues
from strawberry.types.arguments import convert_arguments

from crmkit_schema.computing import compute
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.binding import Given
from crmkit_schema.engine.selecting import arguments_of
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Computed

EACH = "[]"
"""Step of a place that goes to every element of a list."""

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComputedField:
    """One computed field of an operation.

    Attributes:
        cls: of its parents.
        place: where it stands in the answer.
        needs: the parents' columns, with what makes their Python values of JSON.
    """

    selected: Selected
    source: Computed
    cls: type
    place: Place
    needs: Sequence[tuple[str, Callable[[Any], Any]]]

    def fill(self, data: Any, given: Given, variables: VariableValues) -> None:
        """Put the field's values into an answer that has the needed columns in their places.

        Raises:
            Exception: whatever the function raises; Uncovered if it gives what GraphQL refuses.
        """
        *way, key = self.place
        holders = list(_holders(data, way))
        if not holders:
            return
        parents = [self._parent(each[key]) for each in holders]
        arguments = self._arguments(given, variables)
        values = compute(
            cast(CrmField, self.selected.declared),
            given.context,
            lambda own: self.source.function(parents, own, **arguments),
        )
        if len(values) != len(parents):
            raise Uncovered("a computed field gave too few or too many values")
        for holder, value in zip(holders, values, strict=True):
            holder[key] = _completed(self.selected.field.type, value)

    def _parent(self, columns: Sequence[Any]) -> Any:
        made: Any = object.__new__(self.cls)
        vars(made).update(
            (name, None if value is None else decode(value))
            for (name, decode), value in zip(self.needs, columns, strict=True)
        )
        return made

    def _arguments(self, given: Given, variables: VariableValues) -> Mapping[str, Any]:
        if not self.selected.declared.arguments:
            return {}
        schema = given.context.schema.schema
        return convert_arguments(
            dict(arguments_of(self.selected, variables)),
            self.selected.declared.arguments,
            schema.schema_converter.scalar_registry,
            schema.config,
        )


def is_plain(type_: GraphQLOutputType) -> bool:
    """Tell whether values of a type are scalars, enums or lists of them."""
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        type_ = type_.of_type
    return isinstance(type_, GraphQLLeafType)


def _holders(data: Any, way: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the objects at the end of a way; none where there is a null."""
    if data is None:
        return
    if not way:
        yield data
        return
    step, *rest = way
    if step == EACH:
        for each in data:
            yield from _holders(each, rest)
    else:
        yield from _holders(data[step], rest)


def _completed(type_: GraphQLOutputType, value: Any) -> Any:
    """Return a value as it stands in an answer, as GraphQL's execution completes it."""
    if isinstance(type_, GraphQLNonNull):
        made = _completed(type_.of_type, value)
        if made is None:
            raise Uncovered("a computed field gave null for what must not be null")
        return made
    if value is None:
        return None
    if isinstance(type_, GraphQLList):
        if not isinstance(value, list | tuple):
            raise Uncovered("a computed field gave no list where one is declared")
        return [_completed(type_.of_type, each) for each in value]
    if not isinstance(type_, GraphQLLeafType):
        raise TypeError(f"{type_} is no scalar")
    try:
        made = type_.serialize(value)
    except GraphQLError as error:
        raise Uncovered("a computed field gave a value its type refuses") from error
    if made is None:
        raise Uncovered("a computed field gave a value its type refuses")
    return made
