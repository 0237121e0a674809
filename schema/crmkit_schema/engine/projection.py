"""Completing what Python gave for a field: the JSON of exactly what is selected of it.

Everything is done for all values of a level together: an attribute is read from all objects, a
function is called once, and what objects lead to in the database takes one statement.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    Undefined,
    get_named_type,
)
from graphql.pyutils import is_iterable

from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.calls import Method
from crmkit_schema.engine.completing import leaf_of, type_of
from crmkit_schema.engine.keyed_rows import KeyedRows, leads_to_rows
from crmkit_schema.engine.python_fields import values_of
from crmkit_schema.engine.running import Run, nodes_of
from crmkit_schema.engine.selecting import Choice, Selecting, argument_error
from crmkit_schema.engine.shapes import Shape, Typed
from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.levels import Failure
from crmkit_schema.selections import Selected


class Waiting(NamedTuple):
    """An object that must be put somewhere once it is completed."""

    holder: list[Any]
    at: int
    value: Any


class FieldProjection:
    """Completes the values of one field."""

    def __init__(
        self, selecting: Selecting, parent: GraphQLObjectType, key: str, selected: Selected
    ) -> None:
        self.selected, self.nodes = selected, nodes_of([each.node for each in selected.details])
        self._selecting, self._parent = selecting, parent
        self._method = Method(selecting, parent, key, selected)
        self._objects: dict[str, ObjectProjection] = {}
        named = get_named_type(selected.field.type)
        self._is_abstract = isinstance(named, GraphQLInterfaceType | GraphQLUnionType)

    def complete(self, values: Sequence[Any], run: Run) -> list[Any]:
        """Return values as they stand in the answer; what fails is a `Failure` there."""
        made: list[Any] = [None] * len(values)
        waiting: dict[str, list[Waiting]] = {}
        for at, value in enumerate(values):
            made[at] = self._value(self.selected.field.type, Waiting(made, at, value), waiting, run)
        for name, some in waiting.items():
            of_type = self.objects(name)
            found = of_type.fill([each.value for each in some], run)
            for each, members in zip(some, found, strict=True):
                each.holder[each.at] = (
                    Typed(of_type.shape, members) if self._is_abstract else members
                )
        return made

    def objects(self, type_name: str) -> "ObjectProjection":
        """Return what completes the objects of one type."""
        if type_name not in self._objects:
            type_ = self._selecting.schema.get_type(type_name)
            if not isinstance(type_, GraphQLObjectType):
                raise TypeError(f"{type_name} is no object type")
            choice = self._selecting.below(self.selected, type_)
            self._objects[type_name] = ObjectProjection(self._selecting, choice)
        return self._objects[type_name]

    def _value(
        self,
        type_: GraphQLOutputType,
        place: Waiting,
        waiting: dict[str, list[Waiting]],
        run: Run,
    ) -> Any:
        value = place.value
        if isinstance(type_, GraphQLNonNull):
            made = self._value(type_.of_type, place, waiting, run)
            return run.failure(_null_error(self._parent, self.selected)) if made is None else made
        if value is None or value is Undefined:
            return None
        if isinstance(value, Failure):
            return run.failure(value.error)
        if isinstance(value, Exception):
            return run.failure(value)
        try:
            if isinstance(type_, GraphQLLeafType):
                return leaf_of(type_, value)
            if isinstance(type_, GraphQLList):
                return self._items(type_, value, waiting, run)
            return self._object(type_, place, waiting, run)
        except (Uncovered, Unready):
            raise
        except Exception as error:
            return run.failure(error)

    def _items(
        self,
        type_: GraphQLList[GraphQLOutputType],
        value: Any,
        waiting: dict[str, list[Waiting]],
        run: Run,
    ) -> list[Any]:
        if not is_iterable(value):
            where = f"{self._parent}.{self.selected.name}"
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{where}'.")
        made: list[Any] = []
        for at, each in enumerate(value):
            made.append(None)
            made[at] = self._value(type_.of_type, Waiting(made, at, each), waiting, run)
        return made

    def _object(
        self,
        type_: GraphQLOutputType,
        place: Waiting,
        waiting: dict[str, list[Waiting]],
        run: Run,
    ) -> Any:
        type_ = type_of(self._selecting.schema, type_, place.value, self._method.raw_info(run))
        known = run.row_of(place.value, self.nodes)
        if known is not None:
            return Typed(self.objects(type_.name).shape, known)
        waiting.setdefault(type_.name, []).append(place)
        return _PENDING


class ObjectProjection:
    """Completes objects of one type under one selection."""

    def __init__(self, selecting: Selecting, choice: Choice) -> None:
        self.shape = Shape(selecting, choice)
        self._type = choice.type
        of_rows = [each for each in choice.members if leads_to_rows(each.selected)]
        self._rows = KeyedRows(selecting, choice.type, of_rows) if of_rows else None
        self._fields = {
            each.key: (
                values_of(selecting, choice.type, each.key, each.selected),
                FieldProjection(selecting, choice.type, each.key, each.selected),
            )
            for each in choice.members
            if each.selected is not None and not leads_to_rows(each.selected)
        }

    def fill(self, objects: Sequence[Any], run: Run) -> list[dict[str, Any]]:
        """Return the members of each object, in the order of the answer."""
        made: list[dict[str, Any]] = [{} for _ in objects]
        of_rows = self._rows.read(objects, run) if self._rows is not None else {}
        for key, selected in self.shape.fields.items():
            if selected is None:
                values: Sequence[Any] = [self._type.name] * len(objects)
            else:
                values = of_rows[key] if key in of_rows else self._own(key, selected, objects, run)
            for each, value in zip(made, values, strict=True):
                each[key] = value
        return made

    def _own(self, key: str, selected: Selected, objects: Sequence[Any], run: Run) -> Sequence[Any]:
        if isinstance(selected.declared, CrmField):
            try:
                run.context.require(selected.declared.needed)
            except GraphQLError as error:
                first = argument_error(selected, run.variables) or error
                return [run.failure(first)] * len(objects)
        values, projection = self._fields[key]
        return projection.complete(values(objects, run), run)


_PENDING = object()


def _null_error(parent: GraphQLObjectType, selected: Selected) -> TypeError:
    return TypeError(f"Cannot return null for non-nullable field {parent}.{selected.name}.")
