"""How many objects a selection may fetch, worked out from sizes that requests bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)

from crmkit_schema.connections import PAGE_DEFAULT, PAGE_MAX
from crmkit_schema.declarations import CrmField
from crmkit_schema.reachable_types import is_list
from crmkit_schema.requests import containers_in
from crmkit_schema.sources import Connected, Related

_BACKREF = "strawberry-definition"
_DIGITS_MAX = 10  # of GraphQL's Int
_UNREADABLE = object()


@dataclass(slots=True)
class Cost:
    """How many objects a selection may give, as a function of the variables.

    Attributes:
        objects: that it gives by itself.
        parts: how often each part below is fetched, and what it costs.
        defaults: of an operation's variables.
        settled: what it costs whatever the variables are, once that is known.
    """

    objects: int = 0
    parts: list[tuple["Times", "Cost"]] = field(default_factory=list)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    settled: int | None = None

    @property
    def depends_on_variables(self) -> bool:
        """Whether requests of the same operation may cost differently."""
        seen: set[int] = set()
        rest = [self]
        while rest:
            part = rest.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            if any(times.variables for times, _ in part.parts):
                return True
            rest += [below for _, below in part.parts]
        return False

    def settle(self) -> None:
        """Find out what it costs if that depends on no variable."""
        if not self.depends_on_variables:
            self.settled = self.of({}, {})

    def of(self, variables: Mapping[str, Any], known: dict[int, int]) -> int:
        """Return the cost for some variables; `known` remembers parts that occur often."""
        if self.settled is not None:
            return self.settled
        if id(self) not in known:
            given = {**self.defaults, **variables} if self.defaults else variables
            below = sum(times.of(given) * part.of(given, known) for times, part in self.parts)
            known[id(self)] = self.objects + below
        return known[id(self)]


@dataclass(frozen=True, slots=True)
class Times:
    """How often a selection is fetched at most.

    Attributes:
        otherwise: where neither document nor variables say it.
        said: what the document says.
        variables: names of those that say it; the largest counts.
        read: makes a number of a variable's value, 0 if it says nothing.
    """

    otherwise: int = 1
    said: int = 0
    variables: tuple[str, ...] = ()
    read: Callable[[Any], int] = int

    def of(self, variables: Mapping[str, Any]) -> int:
        """Return the number for some variables."""
        found = self.said
        for name in self.variables:
            found = max(found, self.read(variables.get(name)))
        return found or self.otherwise


ONCE = Times()


def times_of(node: FieldNode, found: Any) -> Times | None:
    """Return how many objects a field gives at most; None for fields that fetch nothing.

    Args:
        found: the field in the schema, if it has one of this name.
    """
    declared = found.extensions.get(_BACKREF) if found else None
    if not isinstance(declared, CrmField):
        return None
    given = {each.name.value: each.value for each in node.arguments or ()}
    if isinstance(declared.source, Connected):
        sizes = [given[name] for name in ("first", "last") if name in given]
        return _times(PAGE_DEFAULT, sizes, _page_size)
    if "ids" in given:
        return _times(1, [given["ids"]], _length)
    if isinstance(declared.source, Related) and is_list(declared.type):
        return Times(declared.source.limit)
    return ONCE


def defaults_of(node: OperationDefinitionNode) -> dict[str, Any]:
    """Return the defaults of an operation's variables, as far as sizes can be read from them."""
    return {
        each.variable.name.value: _literal(each.default_value)
        for each in node.variable_definitions or ()
        if each.default_value is not None
    }


def objects_in(variables: Mapping[str, Any]) -> int:
    """Return how many objects stand in the values of variables; each costs all its fields."""
    count, level = 0, containers_in([variables])
    while level:
        count += sum(type(each) is dict for each in level)
        level = containers_in(level)
    return count


def _times(otherwise: int, given: list[ValueNode], read: Callable[[Any], int]) -> Times:
    names = tuple(each.name.value for each in given if isinstance(each, VariableNode))
    said = [read(_literal(each)) for each in given if not isinstance(each, VariableNode)]
    return Times(otherwise, max(said, default=0), names, read)


def _literal(node: ValueNode) -> Any:
    """Return what a document says; of lists only the length is looked at."""
    if isinstance(node, NullValueNode):
        return None
    if isinstance(node, ListValueNode):
        return node.values
    if isinstance(node, IntValueNode) and len(node.value) <= _DIGITS_MAX:
        return int(node.value)
    return _UNREADABLE


def _page_size(given: Any) -> int:
    """Return the size of a page; where it cannot be told, the largest there is."""
    if given is None:
        return 0
    is_size = type(given) in (int, float) and 1 <= given <= PAGE_MAX and given == int(given)
    return int(given) if is_size else PAGE_MAX


def _length(given: Any) -> int:
    """Return how many values a list argument has; one value alone is a list of one."""
    if given is None:
        return 0
    return len(given) if isinstance(given, list | tuple) else 1
