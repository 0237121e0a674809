"""Coercing what is plainly right, by functions that are put together once for each input type.

graphql-core looks at the type of every value anew, and at its nesting before; on a sale of some
lines that takes a third of the time of recording it. What is not plainly right is left to
graphql-core, which takes it all the same or knows what to say.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
)
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value

from crmkit_schema.remembered import Remembered

Coerce = Callable[[Any], Any]
Make = Callable[[Mapping[str, Any]], VariableValues]
OPERATIONS_MAX: Final = 512
_INT_MAX: Final = 2**31 - 1
_REQUIRED: Final = object()


class Unusual(Exception):
    """A value that graphql-core must look at."""


class ExactVariables:
    """Coerces the variables of operations on one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._objects: dict[str, Coerce] = {}
        self._operations: Remembered[int, tuple[OperationDefinitionNode, Make]] = Remembered(
            OPERATIONS_MAX
        )

    def coerced(
        self, operation: OperationDefinitionNode, given: Mapping[str, Any]
    ) -> VariableValues:
        """Return the variables of a request.

        Raises:
            Unusual: graphql-core must look at them.
        """
        known = self._operations.get(id(operation))
        if known is None:
            # The node is kept with its number, so that no other node can get it meanwhile.
            known = operation, self._maker(operation)
            self._operations.add(id(operation), known)
        return known[1](given)

    def _maker(self, operation: OperationDefinitionNode) -> Make:
        known: list[tuple[str, GraphQLVariableSignature, Coerce, bool]] = []
        for each in operation.variable_definitions or ():
            signature = get_variable_signature(self._schema, each)
            if not isinstance(signature, GraphQLVariableSignature):
                return _unusual
            may_lack = not isinstance(signature.type, GraphQLNonNull) and not each.default_value
            known.append((signature.name, signature, self._coercer(signature.type), may_lack))

        def coerced(given: Mapping[str, Any]) -> VariableValues:
            sources, values = {}, {}
            for name, signature, coerce, may_lack in known:
                if name in given:
                    sources[name] = VariableValueSource(signature, given[name])
                    values[name] = coerce(given[name])
                elif may_lack:
                    sources[name] = VariableValueSource(signature)
                else:
                    raise Unusual(name)
            return VariableValues(sources, values)

        return coerced

    def _coercer(self, type_: Any) -> Coerce:
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type)
        coerce = self._present(type_)
        return lambda value: None if value is None else coerce(value)

    def _present(self, type_: Any) -> Coerce:
        """Return what coerces values that are not null."""
        if isinstance(type_, GraphQLList):
            return _listing(self._coercer(type_.of_type))
        if isinstance(type_, GraphQLEnumType):
            return _choosing(type_)
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_)
        if isinstance(type_, GraphQLScalarType):
            return _SCALARS.get(type_.name) or _by_type(type_)
        raise TypeError(f"{type_} is no input type")

    def _object(self, type_: GraphQLInputObjectType) -> Coerce:
        if type_.is_one_of:
            return _unusual
        if type_.name not in self._objects:
            fields: list[tuple[str, str, Coerce, Any]] = []
            self._objects[type_.name] = _filling(fields, type_.out_type)
            # Types may contain themselves, so the fields come after the function.
            fields += (
                (name, field.out_name or name, self._coercer(field.type), _if_absent(field))
                for name, field in type_.fields.items()
            )
        return self._objects[type_.name]


def _if_absent(field: GraphQLInputField) -> Any:
    """Return what a field is if it is left out: Undefined if it stays out."""
    default = coerce_default_value(field)
    if isinstance(default, list | dict):
        return _REQUIRED  # each request must get its own
    if default is Undefined and isinstance(field.type, GraphQLNonNull):
        return _REQUIRED
    return default


def _filling(
    fields: Sequence[tuple[str, str, Coerce, Any]], finish: Callable[[dict[str, Any]], Any]
) -> Coerce:
    def coerce(value: Any) -> Any:
        if type(value) is not dict:
            raise Unusual(value)
        found, seen = {}, 0
        for name, out_name, coerce_field, absent in fields:
            if name in value:
                found[out_name] = coerce_field(value[name])
                seen += 1
            elif absent is _REQUIRED:
                raise Unusual(name)
            elif absent is not Undefined:
                found[out_name] = absent
        if seen < len(value):
            raise Unusual(value)
        return finish(found)

    return coerce


def _listing(coerce: Coerce) -> Coerce:
    def listed(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Unusual(value)
        return [coerce(each) for each in value]

    return listed


def _choosing(type_: GraphQLEnumType) -> Coerce:
    values = {name: type_.coerce_input_value(name) for name in type_.values}

    def chosen(value: Any) -> Any:
        if type(value) is not str or value not in values:
            raise Unusual(value)
        return values[value]

    return chosen


def _by_type(type_: GraphQLScalarType) -> Coerce:
    def coerce(value: Any) -> Any:
        try:
            made = Undefined if value is None else type_.coerce_input_value(value)
        except Exception as error:
            raise Unusual(value) from error
        if made is Undefined:
            raise Unusual(value)
        return made

    return coerce


def _exactly(type_: type) -> Coerce:
    def same(value: Any) -> Any:
        if type(value) is not type_:
            raise Unusual(value)
        return value

    return same


def _whole(value: Any) -> Any:
    if type(value) is not int or not -_INT_MAX <= value <= _INT_MAX:
        raise Unusual(value)
    return value


def _unusual(value: Any) -> Any:
    raise Unusual(value)


_SCALARS: Final[Mapping[str, Coerce]] = {
    GraphQLString.name: _exactly(str),
    GraphQLID.name: _exactly(str),
    GraphQLBoolean.name: _exactly(bool),
    GraphQLInt.name: _whole,
}
