"""What an operation selects, in the order of the answer, with `__typename` where it is asked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLObjectType, OperationDefinitionNode
from graphql.execution.collect_fields import (
    CollectedFields,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import FragmentDefinitionNode
from graphql.type import GraphQLSchema

from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.selections import Selected, Selection, object_type_of
from crmkit_schema.values import refuse_unstorable

_BACKREF = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One member of an object of the answer.

    Attributes:
        key: its name in the answer.
        selected: the field; None for `__typename`.
    """

    key: str
    selected: Selected | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Everything selected of the objects of one type, in the answer's order."""

    type: GraphQLObjectType
    members: tuple[Chosen, ...]

    @property
    def selection(self) -> Selection:
        """The fields alone, as the reference executor knows them."""
        fields = (each.selected for each in self.members)
        return Selection(self.type, tuple(each for each in fields if each is not None))

    def named(self, *names: str) -> list[Selected]:
        """Return the fields of some names, which aliases may have multiplied."""
        return [each for each in self.selection.fields if each.name in names]


class Selecting:
    """Collects the selections of one operation.

    Args:
        variables: coerced and tagged.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self.schema, self.operation, self._variables = schema, operation, variables
        self.document = document
        self._fragments = {
            each.name.value: FragmentDetails(each)
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

    @property
    def has_variables(self) -> bool:
        """Whether the operation has variables."""
        return bool(self.operation.variable_definitions)

    @property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        """The fragments of the document by name."""
        return {name: each.definition for name, each in self._fragments.items()}

    def told(self, variables: VariableValues) -> "Selecting":
        """Return the same operation with other values of its variables."""
        return Selecting(self.schema, self.document, self.operation, variables)

    def root(self, type_: GraphQLObjectType) -> Choice:
        """Return what is selected of the root.

        Raises:
            Uncovered, Unready: only the reference executor can tell.
        """
        with _told_by_reference():
            found = collect_fields(
                self.schema, self._fragments, self._variables, type_, self.operation, True
            )
        return _choice(type_, found)

    def below(self, selected: Selected, object_type: GraphQLObjectType | None = None) -> Choice:
        """Return what is selected of the objects that a field gives.

        Args:
            object_type: which objects, where the field's type is an interface or a union.

        Raises:
            Uncovered, Unready: only the reference executor can tell.
        """
        type_ = object_type or object_type_of(selected.field)
        with _told_by_reference():
            found = collect_subfields(
                self.schema,
                self._fragments,
                self._variables,
                self.operation,
                type_,
                selected.details,
                True,
            )
        return _choice(type_, found)

    def argument_error(self, selected: Selected) -> GraphQLError | None:
        """Return what GraphQL finds wrong with a field's arguments."""
        return argument_error(selected, self._variables)

    def arguments(self, selected: Selected) -> Mapping[str, Any]:
        """Return a field's arguments by their GraphQL names, coerced.

        Raises:
            GraphQLError: one cannot be coerced, or holds text that no database can store.
        """
        return arguments_of(selected, self._variables)


def argument_error(selected: Selected, variables: VariableValues) -> GraphQLError | None:
    """Return what GraphQL finds wrong with a field's arguments, before the field is even asked."""
    if not selected.field.args:
        return None
    try:
        get_argument_values(selected.field, selected.details[0].node, variables)
    except GraphQLError as error:
        return error
    return None


def arguments_of(selected: Selected, variables: VariableValues) -> Mapping[str, Any]:
    """Return a field's coerced arguments with the variables of one request."""
    values = get_argument_values(selected.field, selected.details[0].node, variables)
    refuse_unstorable(values)
    return values


@contextmanager
def _told_by_reference() -> Iterator[None]:
    """Leave the condition of a directive that is null to who knows which field it belongs to."""
    try:
        yield
    except GraphQLError as error:
        raise Unready("a directive whose condition is null") from error


def _choice(type_: GraphQLObjectType, found: CollectedFields) -> Choice:
    if found.new_defer_usages:
        raise Uncovered("@defer")
    members = []
    for key, details in found.grouped_field_set.items():
        name = details[0].node.name.value
        if name == "__typename":
            members.append(Chosen(key, None))
            continue
        field = type_.fields.get(name)
        declared = field.extensions.get(_BACKREF) if field is not None else None
        if field is None or declared is None:
            raise Uncovered(f"introspection: {name}")
        members.append(Chosen(key, Selected(name, field, declared, details, ())))
    return Choice(type_, tuple(members))
