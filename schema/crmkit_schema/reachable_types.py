"""Walking over the types that classes mention."""

from collections.abc import Iterable, Iterator
from typing import Any

from strawberry.types.base import (
    StrawberryContainer,
    StrawberryList,
    StrawberryOptional,
    get_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion
from strawberry.utils.str_converters import to_camel_case

from crmkit_schema.arguments import own_arguments
from crmkit_schema.declarations import CrmField
from crmkit_schema.sources import Mutated


def name_of(declared: StrawberryField) -> str:
    """Return a field's GraphQL name."""
    return declared.graphql_name or to_camel_case(declared.python_name)


def row_class(type_: Any) -> type | None:
    """Return the class inside optional, list and connection types; None if there is none."""
    bare = _bare(type_)
    definition = get_object_definition(bare)
    if definition is not None and definition.concrete_of is not None:
        return row_class(next(iter(definition.type_var_map.values())))
    return bare if isinstance(bare, type) else None


def is_list(type_: Any) -> bool:
    """Tell whether a type is a list, nullable or not."""
    bare = type_.of_type if isinstance(type_, StrawberryOptional) else type_
    return isinstance(bare, StrawberryList)


def named_types(roots: Iterable[type]) -> Iterator[tuple[str, Any]]:
    """Yield every named type that some classes mention, however far away, with its name."""
    seen: set[int] = set()
    queue: list[Any] = list(roots)
    while queue:
        type_ = _bare(queue.pop(0))
        if id(type_) in seen:
            continue
        seen.add(id(type_))
        if isinstance(type_, StrawberryEnumDefinition):
            yield type_.name, type_
        definition = get_object_definition(type_)
        if definition is not None and not (definition.is_graphql_generic or definition.concrete_of):
            yield definition.name, type_
        queue += _mentioned(type_)


def _mentioned(type_: Any) -> list[Any]:
    if isinstance(type_, StrawberryUnion):
        return list(type_.types)
    definition = get_object_definition(type_)
    if definition is None or definition.is_graphql_generic:
        return []
    if definition.concrete_of is not None:
        return list(definition.type_var_map.values())
    found: list[Any] = [interface.origin for interface in definition.interfaces]
    for declared in definition.fields:
        found.append(declared.type)
        found += [argument.type for argument in own_arguments(declared)]
        if isinstance(declared, CrmField) and isinstance(declared.source, Mutated):
            found += declared.source.members
    return found


def _bare(type_: Any) -> Any:
    while isinstance(type_, StrawberryContainer):
        type_ = type_.of_type
    return type_.resolve_type() if isinstance(type_, LazyType) else type_
