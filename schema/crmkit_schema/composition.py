"""One schema out of core's and the plugins' contributions, with an owner for every name.

Nothing global is changed: fields are copied per schema, so two schemas with different plugins
live in one process.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.field import StrawberryField

from crmkit import PluginError, SchemaContribution
from crmkit.errors import CrmkitError, PluginConflict
from crmkit_schema import checks, field_checks
from crmkit_schema.arguments import arguments_of
from crmkit_schema.composed_fields import composed
from crmkit_schema.declarations import CrmField
from crmkit_schema.filters import Filters
from crmkit_schema.reachable_types import name_of, named_types, row_class
from crmkit_schema.specs import spec_of

CORE = "core"
QUERY, MUTATION, SUBSCRIPTION = ROOTS = "Query", "Mutation", "Subscription"


@dataclass(slots=True)
class Composition:
    """What the contributions amount to.

    Attributes:
        contributions: owner and contribution, core first, in plugin order.
        permissions: every permission that a manifest declares.
        owners: for each type name, and each `Type.field` contributed to it, who owns it.
        types: every named type, by name.
        nodes: the types that can be fetched by id, by the prefix of their ids.

    Raises:
        PluginError: a contribution cannot be part of a schema; it names whose it is.
    """

    contributions: Sequence[tuple[str, SchemaContribution]]
    permissions: frozenset[str]
    owners: dict[str, str] = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, type] = field(default_factory=dict)
    filters: Filters = field(init=False)
    _added: dict[str, list[CrmField]] = field(default_factory=dict)
    _fields: dict[type, list[StrawberryField]] = field(default_factory=dict)
    _complete: set[type] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.filters = Filters(self)
        for owner, contribution in self.contributions:
            with _blaming(owner):
                self._claim_types(owner, contribution)
        for owner, contribution in self.contributions:
            with _blaming(owner):
                self._add_contribution(owner, contribution)
        for name, type_ in self.types.items():
            with _blaming(self.owners[name]):
                checks.check_type(self.owners[name], name, type_, self.permissions)
                self._claim_prefix(self.owners[name], type_)
        self._check_sources()
        self._claim_made_names()

    def fields_of(self, definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Return the composed fields of a type: its own, then those contributed to it."""
        fields = self._fields_by(definition)
        if definition.origin not in self._complete:
            self._complete.add(definition.origin)
            for each in fields:
                if isinstance(each, CrmField):
                    each.arguments = arguments_of(each, self)
        return fields

    def fields(self, cls: type) -> list[StrawberryField]:
        """Return the fields of a class, not all of them with their arguments yet."""
        return self._fields_by(get_object_definition(cls, strict=True))

    def field(self, cls: type, graphql_name: str) -> CrmField:
        """Return one composed field by its GraphQL name."""
        for each in self.fields(cls):
            if isinstance(each, CrmField) and name_of(each) == graphql_name:
                return each
        raise KeyError(graphql_name)

    def target(self, declared: StrawberryField) -> type:
        """Return the class of the rows that a field gives."""
        cls = row_class(declared.type)
        if cls is None:
            raise TypeError(f"{declared.python_name} gives no objects of one type")
        return cls

    def contributed(self, owner: str) -> list[str]:
        """Return the names of the types and fields that a plugin owns."""
        return sorted(name for name, who in self.owners.items() if who == owner)

    def _fields_by(self, definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        if definition.origin not in self._fields:
            declared = [*definition.fields, *self._added.get(definition.name, ())]
            spec = spec_of(definition.origin)
            owner = self.owners.get(definition.name, CORE)
            self._fields[definition.origin] = [composed(each, spec, owner) for each in declared]
        return self._fields[definition.origin]

    def _claim_types(self, owner: str, contribution: SchemaContribution) -> None:
        holders = [cls for _, some in _by_root(contribution) for cls in some]
        holders += contribution.extends.values()
        for holder in holders:
            checks.check_decorated(owner, holder)
        for name, type_ in named_types([*holders, *contribution.types]):
            if type_ in holders:
                continue
            held = self.types.setdefault(name, type_)
            first = self.owners.setdefault(name, owner)
            if held is not type_:
                raise PluginConflict(owner, first, f"the GraphQL type {name!r}")

    def _claim_prefix(self, owner: str, type_: Any) -> None:
        spec = spec_of(type_) if isinstance(type_, type) else None
        if spec is None or spec.prefix is None:
            return
        first = self.nodes.setdefault(spec.prefix, type_)
        if first is not type_:
            other = self.owners[get_object_definition(first, strict=True).name]
            raise PluginConflict(owner, other, f"the prefix {spec.prefix!r} of global ids")

    def _add_contribution(self, owner: str, contribution: SchemaContribution) -> None:
        for root, classes in _by_root(contribution):
            for cls in classes:
                self._add_fields(owner, root, cls)
        for target, cls in sorted(contribution.extends.items()):
            checks.check_target(owner, target, self.types.get(target))
            self._add_fields(owner, target, cls)

    def _add_fields(self, owner: str, target: str, cls: type) -> None:
        for declared in get_object_definition(cls, strict=True).fields:
            where = f"{target}.{name_of(declared)}"
            self._claim_field(owner, target, name_of(declared))
            made = copy(checks.require_declared(owner, where, declared))
            checks.check_permission(owner, where, made, self.permissions)
            made.owner = owner
            checks.check_field_text(owner, where, made)
            if owner != CORE:
                made.description = f"{made.description} (Plugin {owner}.)"
            self._added.setdefault(target, []).append(made)

    def _claim_field(self, owner: str, target: str, name: str) -> None:
        key = f"{target}.{name}"
        if key in self.owners:
            raise PluginConflict(owner, self.owners[key], f"the GraphQL field {key!r}")
        definition = get_object_definition(self.types.get(target))
        if definition is not None and any(name_of(each) == name for each in definition.fields):
            raise PluginConflict(owner, self.owners[target], f"the GraphQL field {key!r}")
        self.owners[key] = owner

    def _check_sources(self) -> None:
        for root in ROOTS:
            for declared in self._added.get(root, ()):
                with _blaming(declared.owner):
                    field_checks.check_root_field(declared.owner, root, composed(declared, None))
        for name, type_ in list(self.types.items()):
            definition = get_object_definition(type_)
            if definition is None or definition.is_input or definition.is_interface:
                continue
            for each in self._fields_by(definition):
                owner = getattr(each, "owner", "") or self.owners[name]
                with _blaming(owner):
                    field_checks.check_field(owner, name, type_, each)

    def _claim_made_names(self) -> None:
        """Refuse types that are named as crmkit names what it makes for other types."""
        for target in (*ROOTS, *list(self.types)):
            definition = get_object_definition(self.types.get(target))
            declared = self._fields_by(definition) if definition else self._added.get(target, [])
            for each in declared:
                if not isinstance(each, CrmField):
                    continue
                with _blaming(each.owner or self.owners.get(target, CORE)):
                    arguments_of(each, self)
                    for name in field_checks.made_names(each):
                        self._refuse_made(name, each.owner or self.owners.get(target, CORE))
        for name in self.filters.made:
            self._refuse_made(name, CORE)

    def _refuse_made(self, name: str, maker: str) -> None:
        if name in self.types:
            raise PluginConflict(self.owners[name], maker, f"the GraphQL type {name!r}")


def _by_root(contribution: SchemaContribution) -> Iterator[tuple[str, Sequence[type]]]:
    yield QUERY, contribution.queries
    yield MUTATION, contribution.mutations
    yield SUBSCRIPTION, contribution.subscriptions


@contextmanager
def _blaming(owner: str) -> Iterator[None]:
    """Turn whatever a contribution makes Python or strawberry raise into its plugin's error."""
    try:
        yield
    except CrmkitError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PluginError(owner, f"its part of the GraphQL schema is wrong: {reason}") from error
