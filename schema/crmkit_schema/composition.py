"""One schema out of core's and the plugins' contributions, with an owner for every name.

Nothing global is changed: fields are copied per schema, so two schemas with different plugins
live in one process.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Annotated, Any, Union

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.base import (
    StrawberryContainer,
    StrawberryObjectDefinition,
    StrawberryOptional,
    get_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion
from strawberry.utils.str_converters import to_camel_case

from crmkit import PluginError, SchemaContribution
from crmkit.errors import PluginConflict
from crmkit_schema.arguments import arguments_of
from crmkit_schema.declarations import CrmField, Mutated
from crmkit_schema.filters import Filters
from crmkit_schema.specs import PUBLIC, spec_of

CORE = "core"
QUERY, MUTATION = "Query", "Mutation"


@dataclass(slots=True)
class Composition:
    """What the contributions amount to.

    Attributes:
        contributions: owner and contribution, core first, in plugin order.
        owners: for each type name, and each `Type.field` contributed to it, who owns it.
        types: every named type, by name.
    """

    contributions: Sequence[tuple[str, SchemaContribution]]
    permissions: frozenset[str]
    owners: dict[str, str] = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)
    filters: Filters = field(init=False)
    _added: dict[str, list[StrawberryField]] = field(default_factory=dict)
    _declared: dict[int, list[StrawberryField]] = field(default_factory=dict)
    _complete: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.filters = Filters(self)
        for owner, contribution in self.contributions:
            self._claim_types(owner, contribution)
        for owner, contribution in self.contributions:
            for cls in contribution.queries:
                self._add_fields(owner, QUERY, cls)
            for cls in contribution.mutations:
                self._add_fields(owner, MUTATION, cls)
            for target, cls in sorted(contribution.extends.items()):
                self._check_target(owner, target)
                self._add_fields(owner, target, cls)
        for name in self.types:
            self._check_fields(name)

    def fields_of(self, definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Return the composed fields of a type: its own, then those contributed to it."""
        fields, key = self._declared_by(definition), id(definition.origin)
        if key not in self._complete:
            self._complete.add(key)
            for each in fields:
                if isinstance(each, CrmField):
                    each.arguments = arguments_of(each, self)
        return fields

    def fields(self, cls: type) -> list[StrawberryField]:
        """Return the fields of a class, not all of them with their arguments yet."""
        return self._declared_by(get_object_definition(cls, strict=True))

    def _declared_by(self, definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        key = id(definition.origin)
        if key not in self._declared:
            declared = [*definition.fields, *self._added.get(definition.name, ())]
            spec = spec_of(definition.origin)
            own = spec.permission if spec else PUBLIC
            self._declared[key] = [self._composed(each, own) for each in declared]
        return self._declared[key]

    def field(self, cls: type, graphql_name: str) -> CrmField:
        """Return one composed field by its GraphQL name."""
        for each in self.fields(cls):
            if isinstance(each, CrmField) and name_of(each) == graphql_name:
                return each
        raise KeyError(graphql_name)

    def target(self, declared: StrawberryField) -> type:
        """Return the class of the rows that a field gives."""
        return row_class(declared.type)

    def contributed(self, owner: str) -> list[str]:
        """Return the names of the types and fields that a plugin owns."""
        return sorted(name for name, who in self.owners.items() if who == owner)

    def _composed(self, declared: StrawberryField, own: str) -> StrawberryField:
        if not isinstance(declared, CrmField):
            return declared
        made = copy(declared)
        if isinstance(made.source, Mutated):
            made.type_annotation = StrawberryAnnotation(_result_union(made, made.source))
        target = spec_of(_class_or_none(made.type))
        wanted = {made.permission or own, target.permission if target else PUBLIC}
        made.needed = frozenset(wanted - {PUBLIC})
        if made.needed - {own} and not isinstance(made.type, StrawberryOptional):
            made.type_annotation = StrawberryAnnotation(StrawberryOptional(made.type))
        return made

    def _claim_types(self, owner: str, contribution: SchemaContribution) -> None:
        holders = [*contribution.queries, *contribution.mutations, *contribution.extends.values()]
        for name, type_ in _named_types([*holders, *contribution.types]):
            if type_ in holders:
                continue
            held = self.types.setdefault(name, type_)
            first = self.owners.setdefault(name, owner)
            if held is not type_:
                raise PluginConflict(owner, first, f"the GraphQL type {name!r}")

    def _check_target(self, owner: str, target: str) -> None:
        held = get_object_definition(self.types.get(target))
        if held is None or held.is_input:
            raise PluginError(owner, f"extends {target!r}, but no object type has that name")

    def _add_fields(self, owner: str, target: str, cls: type) -> None:
        definition = get_object_definition(cls)
        if definition is None:
            raise PluginError(owner, f"{cls.__name__} needs the decorator strawberry.type")
        for declared in definition.fields:
            self._claim_field(owner, target, name_of(declared))
            if not isinstance(declared, CrmField):
                raise PluginError(
                    owner,
                    f"{target}.{name_of(declared)} has no permission; declare it with mapped, "
                    "related, connection, computed, resolved or mutation of crmkit_schema",
                )
            self._check_permission(owner, target, declared)
            made = copy(declared)
            made.owner = owner
            if owner != CORE:
                made.description = f"{declared.description} (Plugin {owner}.)"
            self._added.setdefault(target, []).append(made)

    def _claim_field(self, owner: str, target: str, name: str) -> None:
        key = f"{target}.{name}"
        if key in self.owners:
            raise PluginConflict(owner, self.owners[key], f"the GraphQL field {key!r}")
        definition = get_object_definition(self.types.get(target))
        if definition is not None and any(name_of(each) == name for each in definition.fields):
            raise PluginConflict(owner, self.owners[target], f"the GraphQL field {key!r}")
        self.owners[key] = owner

    def _check_permission(self, owner: str, target: str, declared: CrmField) -> None:
        name = f"{target}.{name_of(declared)}"
        spec = spec_of(_class_or_none(declared.type))
        if declared.permission is None and (spec is None or spec.permission == PUBLIC):
            raise PluginError(owner, f"{name} declares no permission; say permission=... or PUBLIC")
        if declared.permission not in (None, PUBLIC, *self.permissions):
            raise PluginError(
                owner, f"{name} asks for {declared.permission!r}, which no manifest declares"
            )

    def _check_fields(self, type_name: str) -> None:
        """Refuse output types whose fields could be seen without any permission."""
        definition = get_object_definition(self.types[type_name])
        if definition is None or definition.is_input:
            return
        owner, spec = self.owners[type_name], spec_of(definition.origin)
        if spec is None:
            raise PluginError(
                owner, f"type {type_name!r} declares no permission; use object_type or value_type"
            )
        if spec.permission not in (PUBLIC, *self.permissions):
            raise PluginError(
                owner,
                f"type {type_name!r} asks for {spec.permission!r}, which no manifest declares",
            )


def name_of(declared: StrawberryField) -> str:
    """Return a field's GraphQL name."""
    return declared.graphql_name or to_camel_case(declared.python_name)


def row_class(type_: Any) -> type:
    """Return the class inside optional, list and connection types."""
    while isinstance(type_, StrawberryContainer):
        type_ = type_.of_type
    if isinstance(type_, LazyType):
        type_ = type_.resolve_type()
    definition = get_object_definition(type_)
    if definition is not None and definition.concrete_of is not None:
        return row_class(next(iter(definition.type_var_map.values())))
    return type_  # type: ignore[no-any-return]


def _class_or_none(type_: Any) -> Any:
    cls = row_class(type_)
    return cls if isinstance(cls, type) else None


def _result_union(made: CrmField, source: Mutated) -> Any:
    """Return the union of a mutation's success with its problems."""
    members = (made.type, *source.members)
    name = to_camel_case(made.python_name)
    union = strawberry.union(
        name=f"{name[0].upper()}{name[1:]}Result", description=f"What `{name}` answers."
    )
    return Annotated[Union[members], union]  # noqa: UP007 members are known only here


def _named_types(roots: Iterable[type]) -> Iterator[tuple[str, Any]]:
    """Yield every named type reachable from some classes, with its name; each once."""
    seen: set[int] = set()
    queue: list[Any] = list(roots)
    while queue:
        type_ = queue.pop(0)
        while isinstance(type_, StrawberryContainer):
            type_ = type_.of_type
        if isinstance(type_, LazyType):
            type_ = type_.resolve_type()
        if id(type_) in seen:
            continue
        seen.add(id(type_))
        if isinstance(type_, StrawberryEnumDefinition):
            yield type_.name, type_
        elif isinstance(type_, StrawberryUnion):
            queue += type_.types
        elif (definition := get_object_definition(type_)) is not None:
            if definition.concrete_of is not None:
                queue += definition.type_var_map.values()
                continue
            if definition.is_graphql_generic:
                continue
            yield definition.name, type_
            queue += [interface.origin for interface in definition.interfaces]
            for each in definition.fields:
                queue.append(each.type)
                queue += [argument.type for argument in each.arguments]
                queue += getattr(getattr(each, "source", None), "members", ())


class CrmSchema(strawberry.Schema):
    """A strawberry schema whose types have the fields of one composition."""

    def __init__(self, composition: Composition, **options: Any) -> None:
        self._composition = composition
        super().__init__(**options)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Return the composed fields of a type."""
        if type_definition.is_input:
            return type_definition.fields
        return self._composition.fields_of(type_definition)
