"""What a query selects, as graphql-core itself would collect it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import get_argument_values
from strawberry.types.field import StrawberryField

from crmkit_schema.values import refuse_unstorable

_BACKREF = "strawberry-definition"
Nodes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Selected:
    """One field under one response key, with everything merged into it.

    Attributes:
        declared: what its type declares; None for introspection.
        key: tells it apart from every other selection of the query. The response key cannot: an
            object that two fields share may be asked for different things under the same name.
    """

    name: str
    field: GraphQLField
    declared: StrawberryField
    details: list[FieldDetails]
    key: Nodes


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected of the objects of one type, in the query's order."""

    type: GraphQLObjectType
    fields: tuple[Selected, ...]

    def named(self, name: str) -> Iterable[Selected]:
        """Yield the fields of one name, which aliases may have multiplied."""
        return (each for each in self.fields if each.name == name)


class Operation:
    """One operation being executed: its fragments, its variables, and what it selects.

    Args:
        info: of any of its fields.
        hide_suggestions: leave names the client did not send out of error messages.
    """

    def __init__(self, info: GraphQLResolveInfo[Any], hide_suggestions: bool) -> None:
        self.definition = info.operation
        self._schema, self._variables = info.schema, info.variable_values
        self._fragments = {name: FragmentDetails(each) for name, each in info.fragments.items()}
        self._hide_suggestions = hide_suggestions

    def resolving(self, info: GraphQLResolveInfo[Any]) -> Selected:
        """Return the field that is being resolved."""
        details = [FieldDetails(node, None) for node in info.field_nodes]
        found = _selected(info.parent_type, details)
        if found is None:
            raise TypeError(f"{info.parent_type.name}.{info.field_name} is not of this schema")
        return found

    def below(self, selected: Selected, object_type: GraphQLObjectType | None = None) -> Selection:
        """Return what is selected of the objects that a field gives.

        Args:
            object_type: which objects, where the field's type is an interface or a union.
        """
        chosen = object_type or object_type_of(selected.field)
        grouped = collect_subfields(
            self._schema,
            self._fragments,
            self._variables,
            self.definition,
            chosen,
            selected.details,
            self._hide_suggestions,
        ).grouped_field_set
        found = (_selected(chosen, details) for details in grouped.values())
        return Selection(chosen, tuple(each for each in found if each is not None))

    def object_type(self, cls: type) -> GraphQLObjectType | None:
        """Return the object type that a class is in this schema, or None if it is none."""
        name = getattr(getattr(cls, "__strawberry_definition__", None), "name", None)
        found = self._schema.type_map.get(name) if isinstance(name, str) else None
        return found if isinstance(found, GraphQLObjectType) else None

    def arguments(self, selected: Selected) -> Mapping[str, Any]:
        """Return a field's arguments by their GraphQL names, coerced.

        Raises:
            GraphQLError: one cannot be coerced, or holds text that no database can store.
        """
        values = get_argument_values(
            selected.field,
            selected.details[0].node,
            self._variables,
            None,
            self._hide_suggestions,
        )
        refuse_unstorable(values)
        return values


def object_type_of(declared: GraphQLField) -> GraphQLObjectType:
    """Return the object type of a field's rows."""
    named = get_named_type(declared.type)
    if not isinstance(named, GraphQLObjectType):
        raise TypeError(f"{named} has no rows: it is not an object type")
    return named


def _selected(parent: GraphQLObjectType, details: list[FieldDetails]) -> Selected | None:
    """Return a selected field; None for introspection, which graphql-core answers itself."""
    name = details[0].node.name.value
    found = parent.fields.get(name)
    declared = found.extensions.get(_BACKREF) if found is not None else None
    if found is None or declared is None:
        return None
    return Selected(name, found, declared, details, tuple(id(each.node) for each in details))
