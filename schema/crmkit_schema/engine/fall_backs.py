"""Finding out which fields have no plan, by compiling each of them alone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

Way = tuple[FieldNode | InlineFragmentNode, ...]
_TYPENAME = SelectionSetNode(selections=(FieldNode(name=NameNode(value="__typename")),))


class FallBack(NamedTuple):
    """A field that has no plan.

    Attributes:
        field: its place in the answer, such as `customers.nodes.age`.
        reason: why.
    """

    field: str
    reason: str


def fall_backs(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    reason_of: Callable[[OperationDefinitionNode], str],
) -> Iterator[FallBack]:
    """Yield the outermost fields of an operation that have no plan even alone.

    Args:
        reason_of: returns why an operation has no plan, nothing if it has one.
    """
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }

    def below(way: Way, selected: SelectionSetNode) -> Iterator[FallBack]:
        for selection in selected.selections:
            node = _inlined(selection, fragments)
            if isinstance(node, FieldNode):
                alone = replace(node, selection_set=node.selection_set and _TYPENAME)
                reason = reason_of(_operation(operation, (*way, alone)))
                if reason:
                    yield FallBack(_place((*way, node)), reason)
                    continue
            if node.selection_set is not None:
                yield from below((*way, node), node.selection_set)

    yield from below((), operation.selection_set)


def _inlined(
    node: SelectionNode, fragments: dict[str, FragmentDefinitionNode]
) -> FieldNode | InlineFragmentNode:
    if isinstance(node, FieldNode | InlineFragmentNode):
        return node
    if not isinstance(node, FragmentSpreadNode):
        raise TypeError(f"{node.kind} is no selection")
    fragment = fragments[node.name.value]
    return InlineFragmentNode(
        type_condition=fragment.type_condition,
        directives=node.directives,
        selection_set=fragment.selection_set,
    )


def _operation(operation: OperationDefinitionNode, way: Way) -> OperationDefinitionNode:
    """Return an operation that selects nothing but what lies at the end of a way."""
    *outer, node = way
    for each in reversed(outer):
        node = replace(each, selection_set=SelectionSetNode(selections=(node,)))
    return replace(operation, selection_set=SelectionSetNode(selections=(node,)))


def _place(way: Way) -> str:
    fields = (each for each in way if isinstance(each, FieldNode))
    return ".".join((each.alias or each.name).value for each in fields)
