"""Which variables of a mutation its payloads depend on; the rest goes to its functions alone."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.language import Node


def used_below_roots(document: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str]:
    """Return the names of all variables but those that only arguments of root fields mention."""
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    used = _Used()
    seen: set[tuple[str, bool]] = set()
    queue = [(operation.selection_set, True)]
    while queue:
        selection_set, is_root = queue.pop()
        for each in selection_set.selections:
            for mentioned in _mentioning(each, is_root):
                visit(mentioned, used)
            below, is_below_root = _below(each, is_root, fragments, seen)
            if below is not None:
                queue.append((below, is_below_root))
    return frozenset(used.names)


def _mentioning(selection: SelectionNode, is_root: bool) -> Iterator[Node]:
    yield from selection.directives or ()
    if isinstance(selection, FieldNode) and not is_root:
        yield from selection.arguments or ()


def _below(
    selection: SelectionNode,
    is_root: bool,
    fragments: dict[str, FragmentDefinitionNode],
    seen: set[tuple[str, bool]],
) -> tuple[SelectionSetNode | None, bool]:
    if isinstance(selection, FieldNode):
        return selection.selection_set, False
    if isinstance(selection, FragmentSpreadNode):
        name = selection.name.value
        if (name, is_root) in seen:
            return None, is_root
        seen.add((name, is_root))
        return fragments[name].selection_set, is_root
    return getattr(selection, "selection_set", None), is_root


class _Used(Visitor):
    """Collects the names of variables."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Note one."""
        self.names.add(node.name.value)
