"""Making input objects of coerced values, by converters that are put together once.

strawberry looks up the name and the type of every field of every value; on a sale of some lines
that costs more than recording it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING
from typing import Any

from strawberry import UNSET, Schema
from strawberry.scalars import is_scalar
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import StrawberryList, StrawberryOptional, get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

Convert = Callable[[Any], Any]


class InputValues:
    """Makes the arguments of one schema's fields, exactly as strawberry would."""

    def __init__(self, schema: Schema) -> None:
        self._config = schema.config
        self._scalars = schema.schema_converter.scalar_registry
        self._of_type: dict[Any, Convert | None] = {}
        self._of_arguments: dict[int, tuple[Any, list[tuple[str, str, Convert | None]]]] = {}

    def arguments(
        self, declared: Sequence[StrawberryArgument], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return a field's arguments by their Python names.

        Args:
            declared: the arguments that the field has.
            given: coerced values by GraphQL name.
        """
        known = self._of_arguments.get(id(declared))
        if known is None:
            made = [
                (
                    self._config.name_converter.from_argument(each),
                    each.python_name,
                    self.converter(each.type),
                )
                for each in declared
            ]
            # Kept together with the list itself, so that its number stays its own.
            known = self._of_arguments[id(declared)] = declared, made
        return {
            python_name: _converted(given[name], convert)
            for name, python_name, convert in known[1]
            if name in given
        }

    def converter(self, type_: Any) -> Convert | None:
        """Return what makes values of a type, None if they are taken as they are."""
        while isinstance(type_, LazyType):
            type_ = type_.resolve_type()
        if type(type_) is StrawberryOptional:
            return self.converter(type_.of_type)
        if type(type_) is StrawberryList:
            return _listing(self.converter(type_.of_type))
        if self._is_leaf(type_):
            return None
        if type_ not in self._of_type:
            # Types may contain themselves.
            self._of_type[type_] = lambda value: self._of_type[type_](value)  # type: ignore[misc]
            self._of_type[type_] = self._object(type_)
        return self._of_type[type_]

    def _is_leaf(self, type_: Any) -> bool:
        if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
            return True
        return is_scalar(type_, self._scalars) and not hasattr(type_, "from_id")

    def _object(self, type_: Any) -> Convert:
        definition = get_object_definition(type_)
        if definition is None or definition.from_input is not None or not definition.is_input:
            return lambda value: convert_argument(value, type_, self._scalars, self._config)
        absent = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }
        fields = {
            self._config.name_converter.from_field(field): (
                field.python_name,
                self.converter(field.resolve_type(type_definition=definition)),
            )
            for field in definition.fields
        }

        def convert(value: Mapping[str, Any]) -> Any:
            members = dict(absent)
            for name, given in value.items():
                python_name, inner = fields[name]
                members[python_name] = given if inner is None else _converted(given, inner)
            return type_(**members)

        return convert


def _listing(convert: Convert | None) -> Convert:
    if convert is None:
        return list
    return lambda values: [_converted(each, convert) for each in values]


def _converted(value: Any, convert: Convert | None) -> Any:
    if convert is None or value is None or value is UNSET:
        return value
    return convert(value)
