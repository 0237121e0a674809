"""Making a document that shows a mismatch as small as it can be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    VariableNode,
    parse,
    print_ast,
)

_TRIES_MAX = 400
_LISTS = ("definitions", "selections", "arguments", "directives", "fields", "values")
_NEVER_EMPTY = ("definitions", "selections")
Path = tuple[tuple[str, int | None], ...]


def shrunk(text: str, shows: Callable[[str], bool]) -> str:
    """Return the shortest document found, by leaving out one thing after the other.

    Args:
        shows: whether a document, which may be invalid, still shows the mismatch.
    """
    printed = print_ast(parse(text))
    text = printed if shows(printed) else text
    left, is_done = _TRIES_MAX, False
    while not is_done:
        is_done = True
        for smaller in _smaller(text):
            left -= 1
            if left < 0:
                return text
            if shows(smaller):
                text, is_done = smaller, False
                break
    return text


def _smaller(text: str) -> Iterator[str]:
    """Yield documents that lack one part, the large parts first."""
    document = parse(text, no_location=True)
    for path, part, is_last in _parts(document, ()):
        if not is_last:
            yield print_ast(_tidy(_edited(document, path, ())))
        if isinstance(part, InlineFragmentNode):
            yield print_ast(_tidy(_edited(document, path, part.selection_set.selections)))


def _parts(node: Any, path: Path) -> Iterator[tuple[Path, Any, bool]]:
    """Yield what stands in lists: where, what, and whether its list must keep it."""
    for key in node.keys:
        below = getattr(node, key, None)
        several = below if isinstance(below, list | tuple) else ()
        for at, each in enumerate(several):
            here = (*path, (key, at))
            if key in _LISTS:
                yield here, each, len(several) == 1 and key in _NEVER_EMPTY
            yield from _parts(each, here)
        if isinstance(below, Node):
            yield from _parts(below, (*path, (key, None)))


def _edited(node: Any, path: Path, put: Sequence[Any]) -> Any:
    """Return a copy of a node that has something else at a path."""
    (key, at), *rest = path
    below = getattr(node, key)
    if at is None:
        return replace(node, **{key: _edited(below, tuple(rest), put)})
    made = [_edited(below[at], tuple(rest), put)] if rest else put
    return replace(node, **{key: (*below[:at], *made, *below[at + 1 :])})


def _tidy(document: DocumentNode) -> DocumentNode:
    """Return a document without the fragments and variables that nothing uses any more."""
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    kept: list[Any] = [each for each in document.definitions if each not in fragments.values()]
    for definition in kept:  # grows while it is walked
        for each in _nodes(definition):
            name = each.name.value if isinstance(each, FragmentSpreadNode) else ""
            if name in fragments and fragments[name] not in kept:
                kept.append(fragments[name])
    used = {
        each.name.value
        for definition in kept
        for part in (definition.selection_set, *(definition.directives or ()))
        for each in _nodes(part)
        if isinstance(each, VariableNode)
    }
    return DocumentNode(definitions=tuple(_declaring(each, used) for each in kept))


def _declaring(definition: Any, used: set[str]) -> Any:
    if not isinstance(definition, OperationDefinitionNode):
        return definition
    declared = definition.variable_definitions or ()
    named = tuple(each for each in declared if each.variable.name.value in used)
    return replace(definition, variable_definitions=named)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for key in node.keys:
        below = getattr(node, key, None)
        for each in below if isinstance(below, list | tuple) else (below,):
            if isinstance(each, Node):
                yield from _nodes(each)
